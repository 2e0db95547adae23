-- SPDX-License-Identifier: MIT
-- Feeds as the arguments of a command name them, and the command that finds them.

local chainlink = require "chainlink"
local naming = require "chainlink.naming"
local options = require "chainlink.cli.options"

local names = {}

--- Feed ids for ids and names, and the names of feeds by id, as far as they are known; for the format "table" an id's
--- name is not looked up. A wrong name is a usage error.
function names.feeds(client, arguments, kind)
  if #arguments == 0 then options.usage_error "a feed is missing: give its id or name" end
  return naming.feeds(client, arguments, kind ~= "table", options.usage_error)
end

local function parts_of(list)
  if not list then return nil end
  local parts = {}
  for part in list:gmatch "[^,]+" do parts[#parts + 1] = part end
  if #parts == 0 then options.usage_error("'%s' is no list", list) end
  return parts
end

local function tells(feed, wanted)
  for _, name in ipairs { "id", "name", "asset_name" } do
    if feed[name] and feed[name]:lower():find(wanted, 1, true) then return true end
  end
  return false
end

--- The catalogue's feeds of these assets and classes (lists with commas) whose id or name has the text; each is
--- optional. -> feeds with version and resolution | nil, err
function names.search(client, assets, classes, wanted)
  local feeds, err = client:discover { base_asset = parts_of(assets), asset_class = parts_of(classes), hidden = true }
  if not feeds then return nil, err end
  if wanted then feeds = naming.keep(feeds, function(feed) return tells(feed, wanted:lower()) end) end
  for _, feed in ipairs(feeds) do
    feed.version, feed.resolution = chainlink.feed_version(feed.id), chainlink.feed_resolution(feed.id)
  end
  return feeds
end

return names
