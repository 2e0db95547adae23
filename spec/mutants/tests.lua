-- SPDX-License-Identifier: MIT
-- Which tests look at a file: those of its name first, then those that include or require it (all that use its folder
-- where there are none), that begin with its folder's fixture or run the whole engine, then what the tables below name
-- for its folder. C tests go before specs, which take longer.

local tests = {}

local NETWORK = "rest answers stream tls rest_errors secrets hostile_text faults_tls faults_messages faults_rest"
local STREAMS = "stream reconnect backfill bulk_fill queue milliseconds subscribe verify faults_script " ..
  "faults_messages faults_order faults_gaps"

-- Specs of spec/integration, spec/regress, spec/hosts and spec/meta, fast ones first; all of spec/unit go before them.
local SPECS = {
  ["src/base"] = "rest record replay recordings history convert cli_profile doctor",
  ["src/codec"] = "rest",
  ["src/crypto"] = "verify",
  ["src/order"] = STREAMS,
  ["src/net"] = NETWORK .. " faults_names faults_frames faults_handshake faults_connection",
  ["src/context"] = "rest stream rest_errors shutdown reconnect",
  ["src/rest"] = "rest answers rest_errors faults_rest shutdown",
  ["src/stream"] = STREAMS .. " shutdown faults_handshake faults_connection",
  ["src/client"] = "rest stream shutdown gc faults_process",
  ["src/record"] = "record replay recordings",
  ["src/lua"] = "rest discovery gc 002_finalizers 003_metamethods 006_history_finalizers stream backfill " ..
    "rest_errors verify replay shutdown subscribe",
  ["lua/chainlink"] = "rest answers stream gc verify rest_errors replay faults_script subscribe discovery function " ..
    "cqueues record cli",
  ["lua/chainlink/cli"] = "cli_output cli_names cli replay recordings record cli_serve monitor " ..
    "commands cli_file cli_profile history convert doctor top listen relay hostile_text secrets",
  ["lua/chainlink/cli/files"] = "convert history",
  ["lua/chainlink/doctor"] = "doctor",
  ["lua/chainlink/loop"] = "cqueues luv copas rest stream shutdown",
  ["lua/chainlink/onchain"] = "cli",
  ["lua/chainlink/web"] = "cli_serve monitor listen",
  ["src/web"] = "cli_serve monitor listen",
  ["src/relay"] = "relay_tls relay relay_kafka relay_record",
  ["lua/chainlink/relay"] = "relay relay_kafka",
  ["lua/chainlink/source"] = "relay relay_kafka",
}

-- Specs of the same folders that look at one file of a folder alone.
local OF_FILE = {
  ["src/lua/lappend.c"] = "history",
  ["src/lua/lcall.c"] = "candles",
  ["src/lua/lfile.c"] = "cli_file",
  ["src/lua/lkafka.c"] = "relay_kafka",
  ["src/lua/lprivate.c"] = "cli_profile",
  ["src/lua/lprobe.c"] = "doctor",
  ["src/lua/lrecord.c"] = "record",
  ["src/lua/lredis.c"] = "relay_tls relay",
  ["src/lua/lsqlite.c"] = "convert history",
  ["src/lua/lterminal.c"] = "top cli_profile",
  ["src/lua/ltrades.c"] = "trades",
  ["src/lua/lweb.c"] = "cli_serve listen monitor",
  ["src/net/journey.c"] = "doctor",
  ["src/net/probe.c"] = "doctor",
  ["src/net/service_clock.c"] = "clock",
  ["src/rest/call_log.c"] = "trace clock",
  ["src/rest/prices.c"] = "candles",
  ["src/rest/trades.c"] = "trades",
}

-- What tests begin with that look at a folder from above: their fixture in spec/c.
local FIXTURES = { ["src/stream"] = "stream_fixture.h", ["src/rest"] = "rest_fixture.h" }

-- What everything is built on would be tested by everything: only tests of so many seconds, those of the name and of
-- the table above aside.
local SLOWEST = { ["src/base"] = 1, ["src/codec"] = 3, ["src/crypto"] = 10, ["src/context"] = 3, ["src/client"] = 3 }

-- What only the whole engine runs: the C tests of a client look at it too.
local ENGINE = { net = true, context = true, rest = true, client = true }

local function find(command)
  local pipe, list = assert(io.popen(command .. " 2>/dev/null | LC_ALL=C sort")), {}
  for line in pipe:lines() do list[#list + 1] = line end
  pipe:close()
  return list
end

local function c_test(path)
  return { kind = "c", name = path:match "([^/]+)%.c$" }
end

local function spec(path)
  return { kind = "spec", name = path }
end

local function collect(into, seen, list, slowest)
  for _, test in ipairs(list) do
    test.slowest = slowest or math.huge
    if not seen[test.name] then
      seen[test.name] = true
      into[#into + 1] = test
    end
  end
end

local function each(paths, make)
  local list = {}
  for _, path in ipairs(paths) do list[#list + 1] = make(path) end
  return list
end

-- C tests that include a header, themselves or by a fixture of theirs.
local function including(root, header)
  local pattern = ("-e '\"%s\"'"):format(header)
  for _, fixture in ipairs(find(("grep -lF %s %s/spec/c/*.h"):format(pattern, root))) do
    pattern = pattern .. (" -e '\"%s\"'"):format(fixture:match "[^/]+$")
  end
  return each(find(("cd %s && grep -lF %s spec/c/test_*.c"):format(root, pattern)), c_test)
end

-- Those that include any header of a folder.
local function using(root, layer)
  return each(find(("cd %s && grep -lF '\"%s/' spec/c/test_*.c"):format(root, layer)), c_test)
end

local function named(root, names)
  local list = {}
  for name in names:gmatch "%S+" do
    local paths = "cd %s && ls spec/integration/%s_spec.lua spec/regress/%s_spec.lua spec/hosts/%s_spec.lua " ..
      "spec/meta/%s_spec.lua"
    for _, path in ipairs(find(paths:format(root, name, name, name, name))) do list[#list + 1] = spec(path) end
  end
  return list
end

local function units(root)
  return each(find(("cd %s && ls spec/unit/*_spec.lua"):format(root)), spec)
end

local function of_c(root, path, near, seen)
  local folder, stem = path:match "^src/(.-)/([^/]+)%.c$"
  local names = ("cd %s && ls spec/c/test_%s.c spec/c/test_%s_*.c"):format(root, stem, stem)
  collect(near, seen, each(find(names), c_test))
  for _, test in ipairs(near) do test.named = true end
  collect(near, seen, including(root, ("%s/%s.h"):format(folder, stem)), SLOWEST["src/" .. folder])
  if #near == 0 then collect(near, seen, using(root, folder), SLOWEST["src/" .. folder]) end
  if stem:find "^ws_" then collect(near, seen, including(root, "net/ws.h")) end -- by their fixture
  if FIXTURES["src/" .. folder] then collect(near, seen, including(root, FIXTURES["src/" .. folder])) end
  if folder == "order" then collect(near, seen, { { kind = "model", name = "model" } }) end
  if ENGINE[folder] then collect(near, seen, including(root, "client/client.h"), 10) end
  if folder == "lua" then
    collect(near, seen, units(root))
    collect(near, seen, each({ "test_quick_number.c", "test_wait_lua.c", "test_torture_lua.c",
      "test_states.c" }, c_test))
  end
  collect(near, seen, named(root, OF_FILE[path] or ""))
end

local function of_lua(root, path, near, seen)
  local module = path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
  local name = module:gsub("^chainlink%.", ""):gsub("%.", "_")
  local last = name:match "[^_]+$"
  local names = ("cd %s && ls spec/*/%s_spec.lua spec/unit/%s_spec.lua spec/hosts/%s_spec.lua"):format(root, name, last,
    last)
  collect(near, seen, each(find(names), spec))
  local users = ("cd %s && grep -lE 'require *\\(? *\"%s\"' spec/unit/*_spec.lua"):format(root, module)
  collect(near, seen, each(find(users), spec))
  -- Of chainlink/onchain/rpc.lua, say, what begins with onchain.
  local parent = name:match "^(.*)_"
  if parent then collect(near, seen, each(find(("cd %s && ls spec/unit/%s*_spec.lua"):format(root, parent)), spec)) end
  collect(near, seen, units(root))
end

-- Those that include anything of the folder, all units, and the table's.
local function of_folder(root, folder, wide, seen)
  local layer, slowest = folder:match "^src/(.*)", SLOWEST[folder]
  if layer then
    collect(wide, seen, using(root, layer), slowest)
    if layer == "lua" then collect(wide, seen, { c_test "test_fork_lua.c" }) end
  end
  collect(wide, seen, units(root), slowest)
  collect(wide, seen, named(root, SPECS[folder] or ""))
end

--- The tests of a file, and the wider set of its folder, each { kind, name, slowest }: "c", "spec", or the "model" of a
--- feed. One that takes longer than `slowest` seconds is not meant. named: it has the file's name.
function tests.of(root, path)
  local near, wide, seen = {}, {}, {}
  if path:find "%.c$" then of_c(root, path, near, seen) else of_lua(root, path, near, seen) end
  of_folder(root, path:match "^(.*)/", wide, seen)
  return near, wide
end

return tests
