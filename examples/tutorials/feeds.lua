-- SPDX-License-Identifier: MIT
-- Finds feeds by their names, as the service lists them.

local feeds = {}

--- An array of ids in the order of the names, and the names by id. Raises where a name is of no feed.
---@param client chainlink.Client
---@param wanted string[]
---@return string[] ids, table<string, string> names
function feeds.find(client, wanted)
  local by_name, ids, names = {}, {}, {}
  for _, feed in ipairs(assert(client:get_feeds())) do
    if feed.name then by_name[feed.name] = feed.id end
  end
  for i, name in ipairs(wanted) do
    ids[i] = by_name[name] or error("there is no feed " .. name .. " that this key may read", 0)
    names[ids[i]] = name
  end
  return ids, names
end

return feeds
