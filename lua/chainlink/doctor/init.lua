-- SPDX-License-Identifier: MIT
-- The doctor: looks at all that a client needs, one thing after the other, each by what it is for.

local chainlink = require "chainlink"
local config = require "chainlink.config"
local core = require "chainlink.core"
local account = require "chainlink.doctor.account"
local findings = require "chainlink.doctor.findings"
local live = require "chainlink.doctor.live"
local system = require "chainlink.doctor.system"
local way = require "chainlink.doctor.way"

local doctor = {}

-- As the script's own client is, but for what would hide a fault.
local function make_client(options, key, secret)
  local made = { max_retries = 0, circuit_breaker = false, timeout = 10, loop = "block" }
  for name, value in pairs(options) do made[name] = value end
  made.api_key, made.api_secret = key, secret
  return chainlink.client(made)
end

-- What the options come to.
local function urls_of(options)
  local engine = config.client { api_key = "none", api_secret = "none", network = options.network,
    rest_url = options.rest_url, ws_url = options.ws_url }
  return engine.rest_url, engine.ws_urls[1]
end

-- The feed to stream where none was named.
local function some_feed(feeds)
  for _, name in ipairs { "btc/usd", "eth/usd" } do
    for _, feed in ipairs(feeds) do
      if (feed.name or ""):lower():find(name, 1, true) == 1 then return feed.id end
    end
  end
  return feeds[1] and feeds[1].id
end

local function examine_account(found, client, question, context)
  context.feeds = account.credentials(found, client, question.from, context.clock_ahead)
  if not context.feeds then return end
  local first
  local wanted = #question.feeds > 0 and question.feeds or { some_feed(context.feeds) }
  if #wanted == 0 then found:warn("feed", "the key may read none", "ask for feeds where the key comes from") end
  for _, name in ipairs(wanted) do
    local feed = account.feed(found, client, name, context)
    first = first or feed
  end
  return first
end

local function examine_service(found, client, question, rest_url, ws_url)
  local rest = way.examine(found, client, 0, rest_url)
  local context = { signers = question.signers, seconds = question.seconds,
    clock_ahead = rest and way.clock(found, rest) }
  local is_same = way.parts_of(rest_url).place == way.parts_of(ws_url).place
  local ws = is_same and rest or not is_same and way.examine(found, client, 1, ws_url)
  if not question.has_credentials then return end
  local feed = rest and examine_account(found, client, question, context)
  if not ws or not context.feeds then return end
  live.origins(found, client)
  if feed then live.examine(found, client, feed, context) end
end

--- Examines, and calls question.tell for each finding. question: options (of a client, perhaps without credentials),
--- from (who gave them, in words), feeds (ids or names), signers (a registry, or nil), seconds (to wait for a first
--- report), versions (instead of the libraries' own). -> how many findings are failures
function doctor.examine(question)
  local found = findings.new(question.tell)
  local versions, err
  if question.versions then versions = question.versions else versions, err = core.versions() end
  system.libraries(found, versions, err)
  system.files(found, core.file_limit())
  local options = question.options
  question.has_credentials = options.api_key and options.api_secret
  if not question.has_credentials then
    local missing = options.api_key and "the secret" or "the API key"
    found:fail("credentials", ("there are none: %s is missing"):format(missing),
      "set CHAINLINK_STREAMS_API_KEY and CHAINLINK_STREAMS_API_SECRET, or give --profile NAME")
  end
  local client, why = make_client(options, options.api_key or "none", options.api_secret or "none")
  if client then
    local ok, raised = pcall(examine_service, found, client, question, urls_of(options))
    client:close()
    if not ok then error(raised, 0) end
  else
    found:fail("client", tostring(why))
  end
  return found.count.fail
end

return doctor
