-- A slice of the chunks there are: the next cursor and their hashes.

local found = redis.call('HSCAN', KEYS[3], ARGV[1], 'COUNT', ARGV[2])
local names = {}
for i = 1, #found[2], 2 do
  names[#names + 1] = found[2][i]
end
return { found[1], names }
