-- SPDX-License-Identifier: MIT
-- Takes so many v3 reports that wait in a stream's queue already, reads three numbers of each and leaves it to the
-- collector. Tells how many nanoseconds that took for each; bench/check.lua counts its instructions.   pop.lua COUNT
local core = require "chainlink.core"
local simulator = require "spec.support.simulator"

local count = tonumber(arg[1])
local ids = {}
for i = 1, 10 do ids[i] = "0x0003" .. ("%060x"):format(i) end
local sim = simulator.start { feed = ids, rate = 1000 }
local client = sim:client()
local stream = client:stream(ids, { queue_size = 2 * count })
repeat core.wait(-1, count / 10000) until stream:stats().queue_length >= count -- which is asked as often for any count
sim:stop() -- nothing else is to run
collectgarbage()

local taken, sum, started = 0, 0, os.clock()
for report in stream do
  taken, sum = taken + 1, sum + report.price + report.bid + report.ask
  if taken == count then break end
end
collectgarbage()
print(("%.1f"):format((os.clock() - started) / count * 1e9))
client:close()
