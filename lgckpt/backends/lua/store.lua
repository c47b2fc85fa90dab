-- Stores checkpoints and writes with their chunks, all or nothing.
-- Gives 1: stored, 0: a claim does not hold, 2: locked, 3: not registered yet.

local data, index, chunks, doomed, lock = unpack(KEYS)
local mode, fresh, seed, thread, ttl, epoch, parent, etag = unpack(ARGV, 1, 8)

-- The rest are five lists, folded (see redis_folding.py).
local items, at = {}, 0
for i = 9, #ARGV do
  local folded, from = ARGV[i], 1
  while from <= #folded do
    items[#items + 1], from = struct.unpack('>I8c0', folded, from)
  end
end

local function list(width)
  at = at + 1
  local first = at + 1
  at = at + tonumber(items[at]) * width
  return first, at
end

local claims, claims_end = list(1)
local runs, runs_end = list(1)
local sent, sent_end = list(2)
local rows, rows_end = list(4)
local writes, writes_end = list(2)

if string.sub(redis.call('GET', lock) or '', 1, 1) == 'x' then
  return 2
end

local sweeping = redis.call('EXISTS', doomed) == 1
for i = claims, claims_end do
  if redis.call('HEXISTS', chunks, items[i]) == 0 then
    return 0
  end
  if sweeping and redis.call('SISMEMBER', doomed, items[i]) == 1 then
    return 0
  end
end

if parent ~= '' then
  local head = redis.call('HGET', data, 'h' .. parent)
  if not head or string.sub(head, 3, 10) ~= etag then
    -- Sent again after a lost reply, it may find its parent pruned meanwhile.
    if redis.call('HGET', data, 'h' .. items[rows]) ~= items[rows + 2] then
      return 0
    end
  end
end

local known = redis.call('EXISTS', data) == 1
if fresh ~= '1' then
  if not known then
    return 3
  end
  for i = runs, runs_end do
    if redis.call('HEXISTS', data, 'r' .. items[i]) == 0 then
      return 3
    end
  end
end

-- The first write is one that a full server refuses, and so refuses all of them.
if known then
  redis.call('HINCRBY', data, 'v', 1)
else
  redis.call('HSET', data, 'v', seed, 'i', thread)
end
for i = runs, runs_end do
  redis.call('HSET', data, 'r' .. items[i], '')
end
for i = sent, sent_end, 2 do
  redis.call('HSETNX', chunks, items[i], items[i + 1])
  if sweeping then
    redis.call('SREM', doomed, items[i])
  end
end
if sent <= sent_end then
  redis.call('HSETNX', chunks, 'e', epoch)
end

-- Of a new thread there is nothing to look at before: as few calls as can be.
local function store_new()
  local fields, members = {}, {}
  local function add(...)
    for i = 1, select('#', ...) do
      members[#members + 1] = 0
      members[#members + 1] = (select(i, ...))
    end
  end
  for i = rows, rows_end, 4 do
    local place, head = items[i], items[i + 2]
    local n = #fields
    fields[n + 1], fields[n + 2] = 'h' .. place, head
    fields[n + 3], fields[n + 4] = 's' .. place, items[i + 3]
    if string.byte(head, 2) % 2 == 1 then
      add('x' .. place)
    else
      add('i' .. place, 'n' .. items[i + 1])
    end
  end
  for i = writes, writes_end, 2 do
    local n = #fields
    fields[n + 1], fields[n + 2] = items[i], items[i + 1]
    add(items[i])
  end
  for first = 1, #fields, MOST do
    redis.call('HSET', data, unpack(fields, first, math.min(first + MOST - 1, #fields)))
  end
  for first = 1, #members, MOST do
    redis.call('ZADD', index, unpack(members, first, math.min(first + MOST - 1, #members)))
  end
end

local function store_rows()
  for i = rows, rows_end, 4 do
    local place, shelf, head, state = items[i], items[i + 1], items[i + 2], items[i + 3]
    local hidden = string.byte(head, 2) % 2 == 1
    local shown = redis.call('ZSCORE', index, 'i' .. place)
    if not (mode == 'copy' and hidden and shown) then
      redis.call('HSET', data, 'h' .. place, head, 's' .. place, state)
      if hidden then
        redis.call('ZREM', index, 'i' .. place, 'n' .. shelf)
        redis.call('ZADD', index, 0, 'x' .. place)
      elseif not shown then
        redis.call('ZREM', index, 'x' .. place)
        redis.call('ZADD', index, 0, 'i' .. place, 0, 'n' .. shelf)
      end
    end
  end
end

local function store_writes()
  for i = writes, writes_end, 2 do
    if mode == 'ignore' then
      redis.call('HSETNX', data, items[i], items[i + 1])
    else
      redis.call('HSET', data, items[i], items[i + 1])
    end
    redis.call('ZADD', index, 0, items[i])
  end
end

if mode == 'load' and not known then
  store_new()
else
  store_rows()
  store_writes()
end
renew(ttl)
return 1
