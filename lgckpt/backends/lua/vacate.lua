-- Removes a thread that has neither a checkpoint nor a write left.

if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('UNLINK', KEYS[1], KEYS[3], KEYS[4])
end
return 1
