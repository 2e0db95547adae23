-- SPDX-License-Identifier: MIT
-- Our client beside the official Rust SDK, in turns, on the same simulator: so many feeds of a report a second each,
-- all at the same moment, as the service nearly sends them. Processor time a report (all threads, with the price as a
-- number), and the most memory.   peers.lua ROUNDS FEEDS COUNT RUST_PROGRAM
package.path = "bench/?.lua;" .. package.path
local median = require "median"
local simulator = require "spec.support.simulator"

local rounds, feeds, count, rust = tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3]), arg[4]

-- Of schema v3, which all clients decode.
local ids = {}
for i = 1, feeds do ids[i] = ("0x0003%060x"):format(i) end

local sim = simulator.start { feed = ids, rate_limit = 0 }
local list = os.tmpname()
local file = assert(io.open(list, "w"))
file:write(table.concat(ids, "\n"), "\n")
file:close()

local warm = 2 * feeds
local programs = {
  { name = "ours", command = ("%s bench/peers/ours.lua %d %d"):format(os.getenv "LUA_BIN", warm, count) },
  { name = "Rust SDK", command = ("%s 0 %d %d"):format(rust, warm, count) },
  { name = "Rust SDK, one thread", command = ("%s 1 %d %d"):format(rust, warm, count) },
}

local function measure(program)
  local command = ("SSL_CERT_FILE='%s' %s %s < %s"):format(sim.ca_file, sim:exports(), program.command, list)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  local cpu, rate, peak = text:match "^(%S+)%s+(%S+)%s+(%S+)"
  assert(cpu, program.name .. " failed: " .. text)
  return { tonumber(cpu), tonumber(rate), tonumber(peak) / 1024 }
end

for _ = 1, rounds do
  for _, program in ipairs(programs) do
    program.figures = program.figures or { {}, {}, {} }
    for i, value in ipairs(measure(program)) do table.insert(program.figures[i], value) end
  end
end
sim:stop()
os.remove(list)

for _, program in ipairs(programs) do
  median.print(program.name .. ": CPU", "us/report", program.figures[1])
  median.print(program.name .. ": received", "reports/s", program.figures[2])
  median.print(program.name .. ": most memory", "MiB", program.figures[3])
end
local ours = programs[1].figures
for i = 2, 3 do
  local theirs = programs[i].figures
  print(("ours/%s: CPU %.2f, memory %.2f"):format(programs[i].name, median.of(ours[1]) / median.of(theirs[1]),
    median.of(ours[3]) / median.of(theirs[3])))
end
