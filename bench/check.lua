-- SPDX-License-Identifier: MIT
-- Counts the instructions of a report's stages with callgrind, and a stream's system calls with strace, and compares
-- them with bench/expected.txt: what became more than that by more than the tolerance is a failure, what became less is
-- to be written down there. The counts hold for the compiler and libraries that the file names; others are compared all
-- the same.   check.lua FOLDER_OF_C_BENCHMARKS

local simulator = require "spec.support.simulator"

local TOLERANCE = 0.15
local LIVE_TOLERANCE = 0.5 -- where it matters how many reports come at once
local FEW, MANY = 100, 600 -- times: the difference leaves out what a program does once

local folder = arg[1]
local lua = assert(os.getenv "LUA_BIN", "LUA_BIN is not set")

local stages = {
  { name = "hex decode alone", command = folder .. "/bench_codec 'hex decode alone' %d" },
  { name = "hex to report", command = folder .. "/bench_codec 'hex to report' %d" },
  { name = "message to report", command = folder .. "/bench_codec 'message to report' %d" },
  { name = "decimal to double", command = folder .. "/bench_codec 'decimal to double' %d" },
  { name = "tag of a message", command = folder .. "/bench_codec 'tag of a message' %d" },
  { name = "verification of 6 signatures", command = folder .. "/bench_verify %d", few = 2, many = 12 },
  { name = "decode and three numbers in Lua", command = lua .. " bench/decode_once.lua %d", few = 1000, many = 6000 },
  { name = "pop, step, three numbers in Lua", command = lua .. " bench/pop.lua %d", few = 1000, many = 6000,
    of_thread = 1 }, -- the script's, as the connection's does what the load makes of it
  { name = "system calls, 1,000 reports a second", rate = 100, few = 500, many = 4500 },
  { name = "system calls, 10,000 reports a second", rate = 1000, few = 500, many = 8500 },
}

local function expected_figures()
  local figures = {}
  for line in io.lines "bench/expected.txt" do
    local name, figure = line:match "^([^#].-)%s+([%d.]+)$"
    if name then figures[name] = tonumber(figure) end
  end
  return figures
end

local function run(options, command)
  local pipe = assert(io.popen("valgrind --tool=callgrind " .. options .. " " .. command .. " 2>&1"))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

local function instructions_of_thread(command, thread)
  local path = os.tmpname()
  local text = run("--separate-threads=yes --callgrind-out-file=" .. path, command)
  local file = io.open(("%s-%02d"):format(path, thread))
  local count = file and file:read "*a":match "totals: (%d+)"
  if file then file:close() end
  os.execute("rm -f " .. path .. "*")
  return tonumber(count) or error("callgrind tells no count: " .. text)
end

local function instructions(command, thread)
  if thread then return instructions_of_thread(command, thread) end
  local text = run("--callgrind-out-file=/dev/null", command)
  return tonumber(text:match "Collected : (%d+)") or error("callgrind tells no count: " .. text)
end

-- Of all threads of a client that takes so many reports of ten feeds.
local function system_calls(times, rate)
  local sim, path = simulator.start { feeds = 10, rate = rate }, os.tmpname()
  os.execute(("export %s; strace -f -c -U calls,name -o %s %s bench/take.lua %d"):format(sim:exports(), path, lua,
    times))
  sim:stop()
  local file = assert(io.open(path))
  local count = file:read "*a":match "(%d+) total"
  file:close()
  os.remove(path)
  return tonumber(count) or error "strace tells no count"
end

local function each(stage)
  local few, many = stage.few or FEW, stage.many or MANY
  local function count(times)
    if stage.rate then return system_calls(times, stage.rate) end
    return instructions(stage.command:format(times), stage.of_thread)
  end
  return (count(many) - count(few)) / (many - few)
end

local figures, failed = expected_figures(), 0
for i, stage in ipairs(stages) do
  local count, expected = each(stage), figures[stage.name] or 0
  local tolerance = stage.rate and LIVE_TOLERANCE or TOLERANCE
  local is_good = count <= expected * (1 + tolerance)
  local note = count < expected * (1 - tolerance) and "; fewer: write that down in bench/expected.txt" or ""
  print(("%sok %d - %s: %.8g, %.8g expected%s"):format(is_good and "" or "not ", i, stage.name, count, expected, note))
  failed = failed + (is_good and 0 or 1)
end
print("1.." .. #stages)
os.exit(failed == 0 and 0 or 1)
