-- SPDX-License-Identifier: MIT
-- chainlink-streams relay: what a stream gives, for other processes and machines.

local block = require "chainlink.loop.block"
local core = require "chainlink.core"
local local_service = require "chainlink.cli.local_service"
local names = require "chainlink.cli.names"
local options = require "chainlink.cli.options"
local output = require "chainlink.cli.output"
local session = require "chainlink.cli.session"
local text = require "chainlink.text"

local FIGURES_SECONDS = 60 -- from one line of figures to the next

local relay = {
  summary = "pass reports on to your own processes and machines",
  usage = "relay --redis URL FEED... [--keep SECONDS] [--redis-ca FILE]   or"
    .. "   relay --kafka URL FEED... [--kafka-settings FILE]   or"
    .. "   relay --listen unix:PATH|HOST:PORT FEED... [--allow-remote]",
  notes = "into Redis any number of relays may run side by side: each report is there once, in order\n"
    .. "--listen serves the protocol of Data Streams itself: an SDK connects to http:// and ws:// there, and signs\n"
    .. "with CHAINLINK_STREAMS_LOCAL_KEY and CHAINLINK_STREAMS_LOCAL_SECRET of the relay's environment; without these\n"
    .. "only a unix socket will do, for the relay's user alone\n"
    .. "the service's terms forbid passing its reports to third parties",
  network = true,
  unformatted = true,
  options = {
    { name = "redis", value = "URL",
      help = "redis://[user:password@]host:port[/database], rediss://... for TLS, or unix:PATH" },
    { name = "redis-ca", value = "FILE", help = "rediss: certificate authority (default: those of the system)" },
    { name = "redis-cert", value = "FILE", help = "rediss: a certificate of the relay's own, with" },
    { name = "redis-key", value = "FILE", help = "its key" },
    { name = "keep", value = "SECONDS", number = "whole", low = 60, high = 31622400, default = 3600,
      help = "how far the reports there go back (default: 3600)" },
    { name = "kafka", value = "URL", help = "kafka://host:port[,host:port...]/topic" },
    { name = "kafka-settings", value = "FILE", help = "further settings of librdkafka, name=value a line" },
    { name = "listen", value = "unix:PATH|HOST:PORT", help = "serve it to processes of this machine; port 0: any" },
    { name = "allow-remote", help = "HOST may be an address that other machines reach, without encryption" },
    { name = "quiet", help = "no connection changes and figures on standard error" },
  },
}

local function log(values)
  return function(level, words)
    if values.quiet and level ~= "error" then return end
    io.stderr:write("# ", level, ": ", text.plain(words), "\n")
  end
end

local function figures(totals)
  return ("# %.0f reports added, %.0f there already, %.0f too late, %.0f too old\n"):format(totals.added, totals.known,
    totals.late, totals.old)
end

-- Tells now and then what was done, and at once what came too late.
local function watch(values)
  local next_at, late = core.monotonic() + FIGURES_SECONDS, 0
  return function(totals)
    if values.quiet then return end
    if totals.late > late then
      io.stderr:write(("# warn: %.0f reports came too late and were put aside\n"):format(totals.late - late))
      late = totals.late
    end
    if core.monotonic() < next_at then return end
    next_at = core.monotonic() + FIGURES_SECONDS
    io.stderr:write(figures(totals))
  end
end

local function show_status(event)
  local line = { "#", event.state, text.plain(event.host or event.feed_id or "") }
  if event.reason then line[#line + 1] = text.plain(event.reason) end
  io.stderr:write(table.concat(line, " "), "\n")
end

local function need(module, library)
  local ok, loaded = pcall(require, module)
  if ok then return loaded end
  output.note("this comes with the rock chainlink-streams-relay, and with a build by make where %s is: %s", library,
    (tostring(loaded):match "^[^\n]*":gsub("^%S+:%d+: ", "")))
end

-- The password by redis-cli's own variable, which no list of processes shows.
local function with_password(access)
  local password = os.getenv "REDISCLI_AUTH"
  if (access.password or "") == "" and password and password ~= "" then access.password = password end
  return access
end

local function tls_of(values)
  local tls = { ca_file = values["redis-ca"], cert_file = values["redis-cert"], key_file = values["redis-key"] }
  return next(tls) and tls or nil
end

-- -> a function that opens the sink, or nil when a part of the rock is missing; what is wrong raises.
local function open_sink(values)
  if values.redis then
    local sinks = need("chainlink.relay.sink", "libhiredis-dev")
    if not sinks then return nil end
    local access = with_password(require "chainlink.relay.address".parse(values.redis, "--redis"))
    return function()
      return sinks.new { access = access, tls = tls_of(values), keep = values.keep, log = log(values) }
    end
  end
  local sinks = need("chainlink.relay.kafka", "librdkafka-dev")
  if not sinks then return nil end
  local brokers = require "chainlink.relay.brokers"
  local access = brokers.parse(values.kafka, "--kafka")
  local settings = values["kafka-settings"] and session.check(brokers.read(values["kafka-settings"]))
  return function() return sinks.new { access = access, settings = settings, log = log(values) } end
end

function relay.client_options(values)
  if not values.listen then return nil end
  local_service.check(values)
  return { loop = function(fd, seconds)
    if values.service then values.service:wait(fd, seconds) else block.wait(fd, seconds) end
  end }
end

function relay.run(client, values, rest)
  if (values.redis and 1 or 0) + (values.kafka and 1 or 0) + (values.listen and 1 or 0) ~= 1 then
    options.usage_error "relay needs one of --redis URL, --kafka URL and --listen ADDRESS"
  end
  if values.listen then
    local ids, named = names.feeds(client, rest, "table")
    return local_service.run(client, values, { ids = ids, names = named }, not values.quiet and show_status or nil)
  end
  local open = open_sink(values)
  if not open then return 1 end
  local run = require "chainlink.relay"
  local ids = names.feeds(client, rest, "table")
  local sink = session.check(open())
  local ok, err = pcall(run.start, client, ids, sink, { log = log(values), on_batch = watch(values),
    on_status = not values.quiet and show_status or nil })
  sink:close()
  if not ok then error(err, 0) end
end

return relay
