-- SPDX-License-Identifier: MIT
-- A gap in a stream and how it is filled, for the specs of faults.

local assert = require "luassert"

local faults = require "spec.support.faults"

local gap = { SKIP = "on=live,action=skip,seconds=2" }

--- Makes a gap by that fault, while REST misbehaves so: all is there in the end, in order, and counted. -> statistics,
--- and the recorder of events
function gap.fill(service, fault, rest)
  local stream, record = service:stream()
  local reports = faults.read(stream, 20)
  if rest then service.sim:fault(rest) end
  service.sim:fault(fault)
  faults.read_until(stream, function() return stream:stats().backfilled > 0 end, reports)
  faults.read(stream, 100, reports)
  service.sim:clear_faults() -- what REST says now is the truth
  service:check_complete(reports)
  local stats, marked = stream:stats(), 0
  for _, report in ipairs(reports) do marked = marked + (report.backfilled and 1 or 0) end
  assert.are.equal(0, stats.lost)
  assert.is_true(marked > 0 and marked <= stats.backfilled)
  stream:close()
  return stats, record
end

return gap
