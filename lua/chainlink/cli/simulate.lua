-- SPDX-License-Identifier: MIT
-- chainlink-streams simulate: reads its options, runs the service, tells the shell how to reach it.

local rows = {
  { name = "host", value = "ADDRESS", default = "127.0.0.1", help = "address to listen on (127.0.0.1)" },
  {
    name = "port", value = "N", whole = true, low = 0, high = 65535, default = 0,
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
    name = "origins", value = "N", whole = true, low = 1, high = 8, default = 2,
    help = "number of origins, o1, o2 … (2)",
  },
  {
    name = "key",
    value = "KEY:SECRET[:FEEDS]",
    repeats = true,
    help = "an API key, and the only feed ids it may read (simulator-key:simulator-secret)",
  },
  {
    name = "seed", value = "N", whole = true, low = 0, high = 2 ^ 53, default = 1,
    help = "of all prices and oracle keys (1)",
  },
  {
    name = "feeds", value = "N", whole = true, low = 1, high = 1000,
    help = "number of feeds, of all schemas in turn (26)",
  },
  { name = "feed", value = "ID", repeats = true, help = "serve this feed id; may be repeated, instead of --feeds" },
  {
    name = "rate", value = "N", whole = true, low = 1, high = 1000, default = 1,
    help = "reports a second of each feed (1)",
  },
  { name = "fast", value = "COUNT:RATE", help = "the first COUNT feeds have RATE reports a second instead" },
  {
    name = "irregular", value = "COUNT", whole = true, low = 0, high = 1000, default = 0,
    help = "the last COUNT feeds have no report in about a third of the seconds (0)",
  },
  {
    name = "presign",
    value = "SECONDS",
    whole = true,
    low = 0,
    high = 3600,
    default = 0,
    help = "sign so many seconds of reports before listening, for load (0)",
  },
  {
    name = "oracles", value = "N", whole = true, low = 1, high = 31, default = 4,
    help = "keys of the oracle network (4)",
  },
  {
    name = "signers", value = "N", whole = true, low = 1, high = 31, default = 2,
    help = "how many sign each report (2)",
  },
  {
    name = "rate-limit",
    value = "N",
    low = 0,
    high = 1000000,
    default = 10,
    help = "requests a second per key and endpoint, 0 for no limit (10)",
  },
  {
    name = "clock-offset",
    value = "SECONDS",
    low = -1e9,
    high = 1e9,
    default = 0,
    help = "how far the service's clock is ahead (0)",
  },
  { name = "replay", value = "FILE", help = 'serve recorded reports, one {"fullReport":"0x…"} a line' },
  { name = "fault", value = "SPEC", repeats = true, help = "misbehave: on=rest|ws,action=…; see below" },
  { name = "exit-with-parent", help = "stop when the starting process ends (Linux)" },
  { name = "env-file", value = "FILE", help = "also write the export lines to FILE" },
  { name = "help", help = "this text" },
}

local notes = [[

Prints export lines once it listens, then serves until Ctrl-C or SIGTERM.

Faults are key=value, separated by commas: on=rest|ws|live|accept, times=N (1; 0 for ever), path=/prefix (rest),
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
/control/certificate?kind=. GET /control/stats counts, GET /control/oracles tells who signs. Only from this machine.]]

local function usage_error(message, ...)
  error({ usage = message:format(...) }, 0)
end

local function find(name)
  for _, row in ipairs(rows) do
    if row.name == name then return row end
  end
  usage_error("there is no option --%s", name)
end

local function contains(list, text)
  for _, choice in ipairs(list) do
    if choice == text then return true end
  end
  return false
end

local function convert(row, text)
  if row.choices and not contains(row.choices, text) then
    usage_error("--%s must be %s, not '%s'", row.name, table.concat(row.choices, ", "), text)
  end
  if not row.low then
    if text == "" then usage_error("--%s must not be empty", row.name) end
    return text
  end
  local value = text:find "^-?[%d.]+$" and tonumber(text)
  if not value or value < row.low or value > row.high or (row.whole and value % 1 ~= 0) then
    usage_error("--%s must be a %s from %.0f to %.0f, not '%s'", row.name, row.whole and "whole number" or "number",
      row.low, row.high, text)
  end
  return value
end

local function store(values, row, text)
  local value = convert(row, text)
  if not row.repeats then
    values[row.name] = value
  else
    values[row.name] = values[row.name] or {}
    table.insert(values[row.name], value)
  end
end

local function parse(arguments)
  local values, i = {}, 1
  while i <= #arguments do
    local name, equals, text = arguments[i]:match "^%-%-([%w-]+)(=?)(.*)$"
    if arguments[i] == "-h" then name, equals, text = "help", "", "" end
    if not name or (equals == "" and text ~= "") then usage_error("'%s' is not an option", arguments[i]) end
    local row = find(name)
    if not row.value then
      if equals ~= "" then usage_error("--%s takes no value", name) end
      values[name] = true
    elseif equals == "" then
      i = i + 1
      if arguments[i] == nil then usage_error("--%s needs a value: %s", name, row.value) end
      store(values, row, arguments[i])
    else
      store(values, row, text)
    end
    i = i + 1
  end
  for _, row in ipairs(rows) do
    if values[row.name] == nil then values[row.name] = row.default end
  end
  return values
end

local function check_feed_id(text, option)
  if #text ~= 66 or not text:find "^0x%x+$" then
    usage_error("--%s: '%s' is no feed id (0x and 64 hex digits)", option, text)
  end
  return text
end

local function parse_key(text)
  local key, secret, feeds = text:match "^([^:]+):([^:]+):?(.*)$"
  if not key or (feeds == "" and text:sub(-1) == ":") then
    usage_error("--key must be KEY:SECRET or KEY:SECRET:FEED,FEED, not '%s'", text:match "^[^:]*")
  end
  if #key > 512 or #secret > 512 or (key .. secret):find "[^\33-\126]" then
    usage_error "--key: a key and its secret are up to 512 visible ASCII characters"
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
    usage_error("--fast must be COUNT:RATE, each up to 1000, not '%s'", text)
  end
  return count, rate
end

-- The table that chainlink.simulator's run wants.
local function options_of(values)
  if values.feed and values.feeds then usage_error "--feed and --feeds exclude each other" end
  if values.replay and (values.feed or values.feeds) then
    usage_error "--replay serves the recording's feeds; leave out --feed and --feeds"
  end
  if values.signers > values.oracles then
    usage_error("--signers must not be more than --oracles, %d", values.oracles)
  end
  for _, id in ipairs(values.feed or {}) do check_feed_id(id, "feed") end
  local fast_count, fast_rate = parse_fast(values.fast)
  local keys = {}
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
    feeds = values.feeds,
    feed_ids = values.feed,
    rate = values.rate,
    fast_count = fast_count,
    fast_rate = fast_rate,
    irregular = values.irregular,
    presign = values.presign,
    oracles = values.oracles,
    signers = values.signers,
    rate_limit = values["rate-limit"],
    clock_offset = values["clock-offset"],
    replay = values.replay,
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
  add("CHAINLINK_STREAMS_CA_FILE", ready.ca_file)
  add("CHAINLINK_SIMULATOR_PID", ready.pid)
  return table.concat(lines)
end

-- Whoever waits for the file sees all of it or nothing.
local function write_file(path, text)
  local temporary = path .. ".new"
  local file, reason = io.open(temporary, "w")
  if not file then error({ failure = "cannot write " .. reason }, 0) end
  local written = file:write(text)
  local closed = file:close()
  if not (written and closed and os.rename(temporary, path)) then
    os.remove(temporary)
    error({ failure = "cannot write " .. path }, 0)
  end
end

local function write_help()
  print "usage: chainlink-streams simulate [options]"
  print "       a Data Streams service on this computer: signed REST and WebSocket, no account needed\n"
  for _, row in ipairs(rows) do
    print(("  %-26s %s"):format("--" .. row.name .. (row.value and " " .. row.value or ""), row.help))
  end
  print(notes)
end

local function run(arguments)
  local values = parse(arguments)
  if values.help then
    write_help()
    return 0
  end
  local options = options_of(values)
  options.on_ready = function(ready)
    local lines = export_lines(ready, options.keys[1])
    if values["env-file"] then write_file(values["env-file"], lines) end
    io.stdout:write("# Data Streams simulator; stop it with: kill ", ready.pid, "\n", lines)
    io.stdout:flush()
  end
  local done, message = require("chainlink.simulator").run(options)
  if not done then error({ failure = message }, 0) end
  return 0
end

return function(arguments)
  local ok, result = pcall(run, arguments)
  if ok then return result end
  local usage = type(result) == "table" and result.usage
  local message = usage or type(result) == "table" and result.failure or tostring(result)
  io.stderr:write("chainlink-streams simulate: ", message, "\n")
  return usage and 2 or 1
end
