-- SPDX-License-Identifier: MIT
-- What the workers' pages tell beside reports: which feeds there are, and how things are. The worker that leads writes
-- it into the lua_shared_dict (fact, publish), all of them read it.

local cjson = require "cjson"
local text = require "chainlink.web.sse"

local Board = {}
Board.__index = Board

local board = {}

local STATE_SECONDS = 10 -- for as long the state holds that a worker told
local NOBODY = '{"status":"down","reasons":["no worker of this nginx has told of the stream lately"],"figures":[]}'

--- prefix: of its keys.
function board.new(dict, prefix)
  return setmetatable({ dict = dict, feeds_key = prefix .. "feeds", state_key = prefix .. "state", rows = {},
    feeds = {}, read_rows = "" }, Board)
end

-- ---- for the one that leads ----

--- What holds from now on, as chainlink.web.events has it: of a feed (key: "feed " and its id), or the state.
function Board:fact(name, key, json)
  if name == "state" then self.told_state = json
  else
    local place = self.rows[key] or #self.rows + 1
    self.rows[key], self.rows[place] = place, json
  end
end

--- Writes it, again and again. -> is it new? | nil, err
function Board:publish()
  local feeds = table.concat(self.rows, "\n")
  local is_new = feeds ~= self.dict:get(self.feeds_key) or self.told_state ~= self.dict:get(self.state_key)
  local ok, err = self.dict:safe_set(self.feeds_key, feeds)
  if ok and self.told_state then ok, err = self.dict:safe_set(self.state_key, self.told_state, STATE_SECONDS) end
  if not ok then return nil, err end
  return is_new
end

-- ---- for all ----

--- The feeds as they were told: array of {id=, event=}; the same table until they are told anew. One that could not be
--- found has its name for an id.
function Board:list()
  local rows = self.dict:get(self.feeds_key) or ""
  if rows ~= self.read_rows then
    self.read_rows, self.feeds = rows, {}
    for row in rows:gmatch "[^\n]+" do
      local feed = cjson.decode(row)
      self.feeds[#self.feeds + 1] = { id = feed.feed_id, event = text.event("feed", row) }
    end
  end
  return self.feeds
end

--- Is there something to tell since this was asked last?
function Board:has_news()
  local feeds, state = self:list(), self.dict:get(self.state_key)
  local is_new = feeds ~= self.asked_feeds or state ~= self.asked_state
  self.asked_feeds, self.asked_state = feeds, state
  return is_new
end

--- The events that a reader has not had; `had` keeps what it had, a table, empty at first. wants(id): is it to be told
--- of that feed?
function Board:events(had, wants)
  local parts, feeds = {}, self:list()
  local state = self.dict:get(self.state_key) or NOBODY
  for _, feed in ipairs(feeds ~= had.feeds and feeds or {}) do
    if wants(feed.id) then parts[#parts + 1] = feed.event end
  end
  if state ~= had.state then parts[#parts + 1] = text.event("state", state) end
  had.feeds, had.state = feeds, state
  return table.concat(parts)
end

return board
