-- SPDX-License-Identifier: MIT
-- Which feeds there are: the worker that leads looks up their names, and who may not be read when the service refuses.

local lookup = require "chainlink.web.lookup"
local naming = require "chainlink.naming"

local roster = {}

-- Ids are not looked up: the stream waits for nothing. They have their names as far as those are known.
local function found_feeds(feed)
  local list = {}
  for i, id in ipairs(feed.options.feeds and {} or feed.options.ids) do
    list[i] = { id = id, name = feed.names[id] or id }
  end
  for i, argument in ipairs(feed.options.feeds or {}) do list[i] = lookup.find(feed.client, argument) end
  return list
end

local function show(feed, list)
  local ids, problem = {}, nil
  for _, found in ipairs(list) do
    local why = found.problem or feed.refused[found.id]
    feed.live:add(found.id, found.name, why)
    if not why then ids[#ids + 1] = found.id end
    problem = problem or why
  end
  return ids, problem
end

--- Looks the feeds up, and shows them on the board: ids of those to stream | nil, err
function roster.look_up(feed)
  local ok, list = pcall(found_feeds, feed)
  if not ok then return nil, list end
  local ids, problem = show(feed, list)
  if #ids == 0 then return nil, problem end
  return ids
end

--- Asks for the names of feeds that were given by id, and shows those.
function roster.name(feed)
  local ok, _, known = pcall(naming.feeds, feed.client, feed.options.ids, true, error)
  if not ok then return end
  feed.names, feed.wants_names = known, false
  show(feed, found_feeds(feed))
end

--- The service has refused the stream: notes which of its feeds may not be read. -> is there one?
function roster.note_refused(feed, ids)
  local has_any = false
  for _, id in ipairs(ids) do
    local ok, err = pcall(lookup.refusal, feed.client, id)
    if ok and err then
      feed.refused[id], has_any = err.message, true
      ngx.log(ngx.ERR, "chainlink: feed ", id, ": ", err.message)
    end
  end
  return has_any
end

return roster
