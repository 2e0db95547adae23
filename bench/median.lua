-- SPDX-License-Identifier: MIT
-- Runs a measurement several times and prints the median with the lowest and the highest.

local median = {}

function median.of(values)
  local sorted = {}
  for i, value in ipairs(values) do sorted[i] = value end
  table.sort(sorted)
  local middle = (#sorted + 1) / 2
  return (sorted[math.floor(middle)] + sorted[math.ceil(middle)]) / 2, sorted[1], sorted[#sorted]
end

function median.print(what, unit, values)
  local middle, lowest, highest = median.of(values)
  print(("%-58s %12.1f %-10s (%.1f to %.1f)"):format(what, middle, unit, lowest, highest))
end

return median
