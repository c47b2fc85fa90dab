-- Whether a thread has checkpoints of a run.

return redis.call('HEXISTS', KEYS[1], 'r' .. ARGV[1])
