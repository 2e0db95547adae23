-- SPDX-License-Identifier: MIT
-- Feeds as people name them: by id, by a name of the list of feeds, or by the service's catalogue. What is wrong with a
-- name is told to refuse(format, ...), which does not return.

local core = require "chainlink.core"
local suggest = require "chainlink.suggest"
local text = require "chainlink.text"

local naming = {}

local MAX_LISTED = 20

local function is_id(argument) return argument:find "^0[xX]" ~= nil end

-- The list of feeds where a name is to be resolved or written; nobody is told of a service that keeps it from this key.
-- -> feeds, the error that there was
local function ask_for_feeds(client, arguments, wanted)
  for _, argument in ipairs(arguments) do wanted = wanted or not is_id(argument) end
  if not wanted then return {} end
  local feeds, err = client:get_feeds()
  if not feeds and err.retryable then error(err, 0) end
  return feeds or {}, err
end

local function same(a, b)
  return type(a) == "string" and a:lower() == b:lower()
end

local function with_name(feeds, name, refuse)
  local found
  for _, feed in ipairs(feeds) do
    if same(feed.name, name) then
      if found then refuse("more than one feed is named '%s': give the id", name) end
      found = feed
    end
  end
  return found
end

-- ---- the catalogue ----

local function is_live(feed)
  return same(feed.status or "live", "live") and not (feed.decommissioned_at and feed.decommissioned_at <= os.time())
end

--- Those of the feeds for which wanted(feed).
function naming.keep(feeds, wanted)
  local kept = {}
  for _, feed in ipairs(feeds) do
    if wanted(feed) then kept[#kept + 1] = feed end
  end
  return kept
end

local function list_of(name, feeds)
  local lines = { ("more than one feed, or none that is live, fits '%s': give an id"):format(name) }
  for i, feed in ipairs(feeds) do
    if i > MAX_LISTED then
      lines[#lines + 1] = ("  and %d more"):format(#feeds - MAX_LISTED)
      break
    end
    lines[#lines + 1] = text.plain(("  %s  v%d  %s  %s"):format(feed.id, feed.schema_version
      or select(2, core.feed_id(feed.id)), feed.name or "", feed.status or ""))
  end
  return table.concat(lines, "\n")
end

-- The feed of exactly that name, or the only live one of a base and a quote asset; nil when none fits.
local function choose(feeds, name, refuse)
  local fits = naming.keep(feeds, function(feed) return same(feed.name, name) end)
  if #fits == 1 then return fits[1] end
  local base, quote = name:match "^([^/]+)/([^/]+)$"
  if #fits == 0 and base then
    fits = naming.keep(feeds, function(feed) return same(feed.base_asset, base) and same(feed.quote_asset, quote) end)
  end
  if #fits == 0 then return nil end
  local live = naming.keep(fits, is_live)
  if #live == 1 then return live[1] end
  refuse("%s", list_of(name, #live > 0 and live or fits))
end

-- "; " or ": did you mean ETH/USD? ", of the feeds in these lists.
local function question(name, ...)
  local names = {}
  for _, feeds in ipairs { ... } do
    for _, feed in ipairs(feeds) do names[#names + 1] = feed.name end
  end
  local words = suggest.question(name, names)
  return words and text.plain(": " .. words .. " ") or "; "
end

-- A function of a name that looks it up; the catalogue is asked for once, and all of it, as it knows no names' filter.
local function catalogue(client, listed, list_err, refuse)
  local feeds, err
  return function(name)
    if not feeds then feeds, err = client:discover { hidden = true } end
    if not feeds and (list_err or err.retryable) then error(list_err or err, 0) end
    local feed = choose(feeds or {}, name, refuse)
    if feed then return feed end
    refuse("no feed is named '%s'%s`chainlink-streams feeds` lists those that your key may read", name,
      question(name, listed, feeds or {}))
  end
end

--- Feed ids for ids and names, and the names of feeds by id, as far as they are known; with wants_names those of ids
--- too. A failure of the service is raised.
function naming.feeds(client, arguments, wants_names, refuse)
  local ids, known = {}, {}
  local feeds, err = ask_for_feeds(client, arguments, wants_names)
  local look_up = catalogue(client, feeds, err, refuse)
  for _, feed in ipairs(feeds) do
    if type(feed.name) == "string" then known[feed.id] = feed.name end
  end
  for i, argument in ipairs(arguments) do
    if is_id(argument) then
      ids[i] = argument:lower()
    else
      local feed = with_name(feeds, argument, refuse) or look_up(argument)
      ids[i], known[feed.id] = feed.id, feed.name or known[feed.id]
    end
  end
  return ids, known
end

return naming
