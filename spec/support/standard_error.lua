-- SPDX-License-Identifier: MIT
-- What a part of a program writes to standard error.

local standard_error = {}

--- Runs a function: what it wrote meanwhile, and what it answers.
function standard_error.of(run, ...)
  local written, kept = {}, io.stderr
  io.stderr = { write = function(_, ...) -- luacheck: ignore 122
    for i = 1, select("#", ...) do written[#written + 1] = tostring((select(i, ...))) end
  end }
  local ok, result = pcall(run, ...)
  io.stderr = kept -- luacheck: ignore 122
  if not ok then error(result, 0) end
  return table.concat(written), result
end

return standard_error
