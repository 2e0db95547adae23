-- SPDX-License-Identifier: MIT
-- The load source, bench/peers/source.c, as a service for the benchmarks.

local simulator = require "spec.support.simulator"

local source = {}

--- So many feed ids of schema v3, which all clients decode.
function source.feed_ids(count)
  local ids = {}
  for i = 1, count do ids[i] = ("0x0003%060x"):format(i) end
  return ids
end

--- Sends so many reports a second (0: as fast as they are taken), `batch` in a TLS record; its certificate is put into
--- the folder. -> as spec.support.simulator's
function source.start(folder, rate, batch)
  return simulator.run(("exec build/peers/source '%s/ca.pem' %d %d"):format(folder, rate, batch))
end

return source
