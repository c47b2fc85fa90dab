-- Whether there is anything of a thread.

return redis.call('EXISTS', KEYS[1])
