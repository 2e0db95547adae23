-- SPDX-License-Identifier: MIT
-- Feeds that a page is to show: what cannot be shown has its reason in words.

local check = require "chainlink.check"
local errors = require "chainlink.errors"
local naming = require "chainlink.naming"

local lookup = {}

local function refuse(...)
  error({ problem = (...):format(select(2, ...)) }, 0)
end

local function find(client, argument)
  local ids, known = naming.feeds(client, { argument }, true, refuse)
  local id = check.feed_id(ids[1], "feed")
  return { id = id, name = known[id] or argument }
end

--- The feed of an id or a name: {id=, name=} or {name=, problem=}. A failure of the service is raised.
function lookup.find(client, argument)
  local ok, found = pcall(find, client, argument)
  if ok then return found end
  local is_wrong_id = errors.is_error(found) and found.kind == "InvalidFeedIDError"
  local problem = is_wrong_id and found.message or type(found) == "table" and found.problem
  if not problem then error(found, 0) end
  return { name = argument, problem = problem }
end

--- Why the feed may not be read. -> nil when it may | err; a failure that may pass is raised.
function lookup.refusal(client, id)
  local report, err = client:get_latest_report(id)
  if report then return nil end
  if err.retryable then error(err, 0) end
  return err
end

return lookup
