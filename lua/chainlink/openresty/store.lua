-- SPDX-License-Identifier: MIT
-- What the workers share in a lua_shared_dict: the latest report of each feed and the last events, as JSON; how its
-- stream is; and which worker leads. Only that one writes, but for its claim.

local Store = {}
Store.__index = Store

local store = {}

local ENTRY = 8192 -- bytes of a report's JSON with what the dictionary needs for it, generously
local TOLD_SECONDS = 10 -- for as long the state holds that a worker told
local CLAIM_SECONDS = 5 -- for one that dies in the act

--- How large a dictionary has to be, in bytes.
function store.need(feed_count, history)
  return (feed_count + history) * ENTRY + 65536
end

--- prefix: of its keys. history: how many events are kept.
function store.new(dict, prefix, history)
  local self = setmetatable({ dict = dict, prefix = prefix, history = history }, Store)
  dict:add(prefix .. "epoch", ("%x%05x"):format(ngx.now() * 1000, math.random(0, 0xfffff)))
  self.epoch = dict:get(prefix .. "epoch")
  return self
end

-- ---- reports ----

--- The number of the newest event, 0 at first.
function Store:sequence()
  return self.dict:get(self.prefix .. "sequence") or 0
end

--- When the latest report of the feed was observed, in milliseconds; nil when there is none.
function Store:observed(id)
  return self.dict:get(self.prefix .. "observed:" .. id)
end

--- The latest report of the feed as JSON; nil when there is none.
function Store:latest(id)
  return self.dict:get(self.prefix .. "latest:" .. id)
end

--- A report that is newer than the feed's latest becomes that, and an event. -> true when it is | nil, err
function Store:publish(report)
  local id, observed = report.feed_id, report.observations_timestamp_ms
  if observed <= (self:observed(id) or -1) then return nil end
  local number, json = self:sequence() + 1, report:to_json()
  local key = self.prefix .. "event:" .. number % self.history
  local ok, err = self.dict:safe_set(key, ("%d %s %s"):format(number, id, json))
  if ok then ok, err = self.dict:safe_set(self.prefix .. "latest:" .. id, json) end
  if ok then ok, err = self.dict:safe_set(self.prefix .. "observed:" .. id, observed) end
  if ok then ok, err = self.dict:safe_set(self.prefix .. "sequence", number) end
  return ok, err
end

--- Event `number` -> feed id, JSON; nothing when it is no longer kept.
function Store:event(number)
  local text = self.dict:get(self.prefix .. "event:" .. number % self.history)
  local kept, id, json = (text or ""):match "^(%d+) (%S+) (.*)$"
  if tonumber(kept) == number then return id, json end
end

-- ---- how the stream is ----

--- Answers to a request for metrics and one for the state, for all workers.
function Store:tell(metrics, healthz)
  for name, answer in pairs { metrics = metrics, healthz = healthz } do
    self.dict:safe_set(self.prefix .. name, ("%d %s\n%s"):format(answer.status, answer.type, answer.body), TOLD_SECONDS)
  end
end

--- The last answer told: status, type, body; nothing when nobody has told one lately.
function Store:told(name)
  local status, kind, body = (self.dict:get(self.prefix .. name) or ""):match "^(%d+) ([^\n]+)\n(.*)$"
  return tonumber(status), kind, body
end

-- ---- who leads ----

--- Where the leader's doorbell is; nil when there was none.
function Store:leader()
  return self.dict:get(self.prefix .. "leader")
end

--- Takes the place of `previous`, who does not answer. False when another one does that.
function Store:claim(previous, address)
  if not self.dict:safe_add(self.prefix .. "claim", true, CLAIM_SECONDS) then return false end
  local is_free = self:leader() == previous
  if is_free then self.dict:set(self.prefix .. "leader", address) end
  self.dict:delete(self.prefix .. "claim")
  return is_free
end

--- Nobody leads, unless another one does already.
function Store:release(address)
  if self:leader() == address then self.dict:delete(self.prefix .. "leader") end
end

return store
