-- SPDX-License-Identifier: MIT
-- chainlink-streams simulate: reads its options, runs the service, tells the shell how to reach it.

local cjson = require "cjson"
local options = require "chainlink.cli.options"
local output = require "chainlink.cli.output"

local FEEDS = 26

local rows = {
  { name = "host", value = "ADDRESS", default = "127.0.0.1", help = "address to listen on (127.0.0.1)" },
  {
    name = "port", value = "N", number = "whole", low = 0, high = 65535, default = 0,
    help = "0 (default) takes a free one",
  },
  { name = "plain", help = "no TLS: http and ws" },
  {
    name = "certificate",
    value = "KIND",
    default = "good",
    choices = { "good", "wrong_host", "expired", "not_yet_valid", "self_signed" },
    help = "good (default), wrong_host, expired, not_yet_valid or self_signed",
  },
  { name = "certificate-dir", value = "DIR", help = "where ca.pem is written (a new directory, removed at the end)" },
  {
    name = "origins", value = "N", number = "whole", low = 1, high = 8, default = 2,
    help = "number of origins, o1, o2 … (2)",
  },
  {
    name = "key",
    value = "KEY:SECRET[:FEEDS]",
    repeats = true,
    help = "an API key, and the only feed ids it may read (simulator-key:simulator-secret)",
  },
  {
    name = "seed", value = "N", number = "whole", low = 0, high = 2 ^ 53, default = 1,
    help = "of all prices and oracle keys (1)",
  },
  {
    name = "feeds", value = "N", number = "whole", low = 1, high = 1000,
    help = "number of feeds, of all schemas in turn (26)",
  },
  { name = "feed", value = "ID", repeats = true, help = "serve this feed id; may be repeated, instead of --feeds" },
  {
    name = "rate", value = "N", number = "whole", low = 1, high = 1000, default = 1,
    help = "reports a second of each feed (1)",
  },
  {
    name = "ms-feeds", value = "COUNT", number = "whole", low = 0, high = 1000, default = 0,
    help = "the first COUNT feeds have their times in milliseconds (0)",
  },
  { name = "outage", value = "FROM:TO", repeats = true,
    help = "no reports were made from FROM to TO (Unix seconds, or now-60 and the like); may be repeated" },
  { name = "fast", value = "COUNT:RATE", help = "the first COUNT feeds have RATE reports a second instead" },
  {
    name = "irregular", value = "COUNT", number = "whole", low = 0, high = 1000, default = 0,
    help = "the last COUNT feeds have no report in about a third of the seconds (0)",
  },
  {
    name = "presign",
    value = "SECONDS",
    number = "whole",
    low = 0,
    high = 3600,
    default = 0,
    help = "sign so many seconds of reports before listening, for load (0)",
  },
  {
    name = "oracles", value = "N", number = "whole", low = 1, high = 31, default = 4,
    help = "keys of the oracle network (4)",
  },
  {
    name = "signers", value = "N", number = "whole", low = 1, high = 31, default = 2,
    help = "how many sign each report (2)",
  },
  {
    name = "rate-limit",
    value = "N",
    number = true,
    low = 0,
    high = 1000000,
    default = 10,
    help = "requests a second per key and endpoint, 0 for no limit (10)",
  },
  {
    name = "clock-offset",
    value = "SECONDS",
    number = true,
    low = -1e9,
    high = 1e9,
    default = 0,
    help = "how far the service's clock is ahead (0)",
  },
  { name = "replay", value = "DIR|FILE", repeats = true,
    help = "serve recorded reports: recordings, lines of JSON or hex; may be repeated" },
  { name = "speed", value = "N", number = true,
    help = "recorded reports come so many times as fast as they did (without it all are there, and sent at --rate)" },
  { name = "loop", help = "they come again and again, with later times, signed by this service (at --speed 1)" },
  { name = "fault", value = "SPEC", repeats = true, help = "misbehave: on=rest|ws,action=…; see below" },
  { name = "exit-with-parent", help = "stop when the starting process ends (Linux)" },
  { name = "env-file", value = "FILE", help = "also write the export lines to FILE, a new one that only you can read" },
  { name = "signers-file", value = "FILE", help = "write who signs to FILE, a new one, for `verify --signers`" },
}

local notes = [[
Prints export lines once it listens, then serves until Ctrl-C or SIGTERM.

Faults are key=value, separated by commas: on=rest|ws|live|accept, times=N (1; 0 for ever), path=/prefix (rest, ws),
origin=o1 (ws, live), action= one of
  rest:     status (status=503, retry_after=2, body=html|json|empty), delay (ms=), slow (ms= a byte), cut, garbage,
            huge, silence, reset, redirect (status=302), lag (seconds=), page (kind=short|empty|repeat|reorder)
  ws:       of the handshake: status, redirect, silence, slow, upgrade (kind=none|key|protocol)
  ws, live: close (code=1001), drop, reset, freeze, half (kind=freeze|drop), quiet, stop_pongs, delay (ms=), fragment
            (bytes=1), duplicate, reorder (within=), old, future, skip (seconds=), foreign, corrupt (kind=hex|blob|
            envelope|feed|cut|price), garbage, oversize, endless, ping_flood, tiny, illegal; after=N lets N messages
            pass before; count=N; further steps follow after a semicolon. live meets WebSockets that are open now
  accept:   garbage, cut, silence, reset, drop: TCP connections before TLS
While it runs: POST the same text, one fault a line, to /control/faults; DELETE clears. POST /control/kill?origin=,
/control/down?what=o1|rest|all, /control/up?what=, /control/clock?offset=, /control/pause?seconds=,
/control/certificate?kind=. GET /control/stats counts, GET /control/oracles tells who signs. Only from this machine;
POST and DELETE want a header X-Simulator-Control, which no web page of others can send.]]

local function check_feed_id(text, option)
  if #text ~= 66 or not text:find "^0x%x+$" then
    options.usage_error("--%s: '%s' is no feed id (0x and 64 hex digits)", option, text)
  end
  return text
end

local function parse_key(text)
  local key, secret, feeds = text:match "^([^:]+):([^:]+):?(.*)$"
  if not key or (feeds == "" and text:sub(-1) == ":") then
    options.usage_error("--key must be KEY:SECRET or KEY:SECRET:FEED,FEED, not '%s'", text:match "^[^:]*")
  end
  if #key > 512 or #secret > 512 or (key .. secret):find "[^\33-\126]" then
    options.usage_error "--key: a key and its secret are up to 512 visible ASCII characters"
  end
  local entry = { key = key, secret = secret }
  if feeds == "" then return entry end
  entry.feeds = {}
  for id in (feeds .. ","):gmatch "([^,]*)," do table.insert(entry.feeds, check_feed_id(id, "key")) end
  return entry
end

local function origin_names(count)
  local names = {}
  for i = 1, count do names[i] = "o" .. i end
  return names
end

local function parse_fast(text)
  local count, rate = (text or "0:1"):match "^(%d+):(%d+)$"
  count, rate = tonumber(count), tonumber(rate)
  if not count or count > 1000 or rate < 1 or rate > 1000 then
    options.usage_error("--fast must be COUNT:RATE, each up to 1000, not '%s'", text)
  end
  return count, rate
end

-- "now-600:now-300" -> "1734216000:1734216300"
local function parse_outage(text)
  local from, to = text:match "^([^:]+):([^:]+)$"
  if not from then options.usage_error("--outage must be FROM:TO, not '%s'", text) end
  local now = os.time()
  from, to = options.time(from, now), options.time(to, now)
  if from > to then options.usage_error "--outage: FROM is later than TO" end
  return ("%.0f:%.0f"):format(from, to)
end

-- The table that chainlink.simulator's run wants.
local function settings_of(values)
  if values.feed and values.feeds then options.usage_error "--feed and --feeds exclude each other" end
  if values.replay and (values.feed or values.feeds) then
    options.usage_error "--replay serves the recording's feeds; leave out --feed and --feeds"
  end
  if (values.speed or values.loop) and not values.replay then
    options.usage_error "--speed and --loop are of --replay, which is missing"
  end
  if values.signers > values.oracles then
    options.usage_error("--signers must not be more than --oracles, %d", values.oracles)
  end
  for _, id in ipairs(values.feed or {}) do check_feed_id(id, "feed") end
  local fast_count, fast_rate = parse_fast(values.fast)
  local keys, outages = {}, {}
  for i, text in ipairs(values.outage or {}) do outages[i] = parse_outage(text) end
  for i, text in ipairs(values.key or { "simulator-key:simulator-secret" }) do keys[i] = parse_key(text) end
  return {
    host = values.host,
    port = values.port,
    plain = values.plain,
    certificate = values.certificate,
    certificate_dir = values["certificate-dir"],
    origins = origin_names(values.origins),
    keys = keys,
    seed = values.seed,
    feeds = values.feeds or FEEDS,
    feed_ids = values.feed,
    rate = values.rate,
    fast_count = fast_count,
    fast_rate = fast_rate,
    ms_count = values["ms-feeds"],
    outages = outages,
    irregular = values.irregular,
    presign = values.presign,
    oracles = values.oracles,
    signers = values.signers,
    rate_limit = values["rate-limit"],
    clock_offset = values["clock-offset"],
    replay = values.replay,
    speed = values.speed or 0,
    loop = values.loop,
    faults = values.fault,
    exit_with_parent = values["exit-with-parent"],
  }
end

local function shell_quote(text)
  text = tostring(text)
  if text:find "^[%w_./:@%%+=,-]+$" then return text end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function export_lines(ready, key)
  local lines = {}
  local function add(name, value)
    if value ~= nil then table.insert(lines, ("export %s=%s\n"):format(name, shell_quote(value))) end
  end
  add("CHAINLINK_STREAMS_API_KEY", key.key)
  add("CHAINLINK_STREAMS_API_SECRET", key.secret)
  add("CHAINLINK_STREAMS_REST_URL", ready.rest_url)
  add("CHAINLINK_STREAMS_WS_URL", ready.ws_url)
  add("CHAINLINK_STREAMS_PRICE_URL", ready.rest_url)
  add("CHAINLINK_STREAMS_CA_FILE", ready.ca_file)
  add("CHAINLINK_SIMULATOR_PID", ready.pid)
  return table.concat(lines)
end

-- What chainlink.signers.from_file reads.
local function signers_json(oracles)
  local told = cjson.decode(oracles)
  return cjson.encode { [told.config_digest] = { signers = told.signers, f = told.f } } .. "\n"
end

local function write_file(path, text)
  local done, message = require("chainlink.simulator").write_private(path, text)
  if not done then error(message, 0) end
end

return {
  summary = "run a Data Streams service on this computer; needs no account",
  usage = "simulate",
  options = rows,
  more = notes,
  unformatted = true,
  run = function(_, values, rest)
    if #rest > 0 then options.usage_error("'%s' is not an option", rest[1]) end
    local settings = settings_of(values)
    function settings.on_ready(ready)
      local lines = export_lines(ready, settings.keys[1])
      if values["signers-file"] then write_file(values["signers-file"], signers_json(ready.oracles)) end
      if values["env-file"] then write_file(values["env-file"], lines) end
      output.print("# Data Streams simulator; stop it with: kill " .. ready.pid .. "\n" .. lines:sub(1, -2))
      output.flush()
    end
    local ended, message = require("chainlink.simulator").run(settings)
    if not ended then error(message, 0) end
    return ended == "interrupted" and 130 or 0
  end,
}
