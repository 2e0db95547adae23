-- SPDX-License-Identifier: MIT
-- chainlink-streams serve: a live page of feeds. What is wrong is told on the page, and tried again.

local chainlink = require "chainlink"
local core = require "chainlink.core"
local events = require "chainlink.web.events"
local listening = require "chainlink.cli.listening"
local live = require "chainlink.web.live"
local lookup = require "chainlink.web.lookup"
local monitor = require "chainlink.web.monitor"
local options = require "chainlink.cli.options"
local output = require "chainlink.cli.output"
local session = require "chainlink.cli.session"
local site = require "chainlink.web.site"

local RETRY_SECONDS = 5
local STATE_SECONDS = 1

local serve = {
  summary = "a live page of feeds, for a browser",
  usage = "serve FEED... [--listen HOST:PORT]",
  network = true,
  unformatted = true,
  options = {
    { name = "listen", value = "HOST:PORT", default = "127.0.0.1:8080", help = "where (127.0.0.1:8080); port 0: any" },
    { name = "signers", value = "FILE", help = "only reports that these signers signed, see verify" },
  },
}

function serve.client_options(values)
  local watch, told = monitor.new(), events.new()
  local page = live.new(told, watch)
  local routes = site.routes()
  for path, route in pairs(watch:routes()) do routes[path] = route end
  routes["/events"] = function(request)
    return { status = 200, type = "text/event-stream",
      subscribe = function(send) told:join(send, request.resume) end }
  end
  values.page, values.monitor, values.told = page, watch, told
  values.server = listening.open("listen", values.listen, routes)
  return {
    loop = function(fd, seconds)
      values.server:wait(fd, math.min(seconds or STATE_SECONDS, STATE_SECONDS))
      page:tick()
      told:keep_alive()
    end,
    on_status = function(event) page:note(event) end,
  }
end

-- Answers requests for so long.
local function pause(values, seconds)
  local deadline = core.monotonic() + seconds
  while core.monotonic() < deadline do
    values.server:wait(-1, math.min(STATE_SECONDS, deadline - core.monotonic()))
    values.page:tick()
    values.told:keep_alive()
  end
end

-- Is it what does not pass?
local function is_final(err, at_start)
  return not chainlink.is_error(err) or err.kind == "ConfigError" or at_start and err.kind == "AuthenticationError"
end

-- Runs it again and again while it fails by what may pass, and tells the page by what.
local function insist(values, run, at_start)
  while true do
    local ok, result = pcall(run)
    if ok then return result end
    if is_final(result, at_start) then error(result, 0) end
    values.page:fail(tostring(result))
    output.note("%s", tostring(result))
    pause(values, RETRY_SECONDS)
  end
end

-- The feed of one argument: {id=, name=, problem=: why it cannot be shown, err=: the service's refusal}
local function look_up(client, argument)
  local feed = lookup.find(client, argument)
  feed.err = feed.id and lookup.refusal(client, feed.id)
  feed.problem = feed.problem or feed.err and feed.err.message
  return feed
end

-- Credentials of no use: the service refuses every feed, and the list of feeds too.
local function check_credentials(client, values, refusal)
  if not refusal or refusal.kind ~= "AuthenticationError" then return end
  insist(values, function()
    local feeds, err = client:get_feeds()
    if not feeds and (err.retryable or err.kind == "AuthenticationError") then error(err, 0) end
  end, true)
end

-- -> ids of the feeds that can be streamed; the page has all of them
local function look_up_all(client, values, arguments)
  local ids, seen, refusal = {}, {}, nil
  for _, argument in ipairs(arguments) do
    local feed = insist(values, function() return look_up(client, argument) end, true)
    refusal = refusal or feed.err
    local key = feed.id or argument
    if not seen[key] then
      values.page:add(feed.id, feed.name, feed.problem)
      if feed.problem then output.note("%s: %s", feed.name, feed.problem)
      else ids[#ids + 1] = feed.id end
    end
    seen[key] = true
  end
  if #ids == 0 then check_credentials(client, values, refusal) end
  return ids
end

local function read_all(source, values)
  local attend = listening.attendant(values.server)
  while true do
    attend()
    values.page:tick()
    local report, err = source:read(STATE_SECONDS)
    if report then values.told:report(report.feed_id, report:to_json())
    elseif err.kind ~= "TimeoutError" then error(err, 0) end
  end
end

local function stream_all(client, values, ids)
  local source = session.check(client:stream(ids, { verify = values.registry }))
  values.monitor:watch(client, source, ids)
  local _, err = pcall(read_all, source, values)
  values.monitor:watch(client, nil, ids)
  source:close()
  error(err, 0)
end

function serve.run(client, values, rest)
  if #rest == 0 then options.usage_error "a feed is missing: give its id or name" end
  if values.signers then values.registry = session.check(chainlink.signers.from_file(values.signers)) end
  values.page.verifies = values.registry ~= nil
  output.print("The page is on http://" .. values.server:address() .. "/  (Ctrl-C ends it)")
  output.flush()
  local ids = look_up_all(client, values, rest)
  if #ids > 0 then insist(values, function() stream_all(client, values, ids) end) end
  values.page:fail "there is no feed to show"
  while true do pause(values, STATE_SECONDS) end
end

return serve
