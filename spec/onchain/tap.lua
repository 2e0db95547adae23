-- SPDX-License-Identifier: MIT
-- Numbered results. Many comparisons make one result, whose first few disagreements are shown.

local tap = { number = 0, failed = 0 }

local SHOWN = 5

function tap.ok(good, name, notes)
  tap.number = tap.number + 1
  print(("%s %d - %s"):format(good and "ok" or "not ok", tap.number, name))
  for _, line in ipairs(notes or {}) do print("#   " .. tostring(line)) end
  if not good then tap.failed = tap.failed + 1 end
end

--- Calls check(item) for each item; it returns nil or what is wrong. One result, and the number of comparisons.
function tap.each(name, items, check)
  local wrong = {}
  for _, item in ipairs(items) do
    local problem = check(item)
    if problem then wrong[#wrong + 1] = item[1] .. ": " .. problem end
  end
  local shown = {}
  for i = 1, math.min(SHOWN, #wrong) do shown[i] = wrong[i] end
  if #wrong > SHOWN then shown[SHOWN + 1] = ("and %d more"):format(#wrong - SHOWN) end
  tap.ok(#items > 0 and #wrong == 0, ("%s (%d)"):format(name, #items), shown)
end

--- The lines of a file, split at tabs.
function tap.rows(path)
  local rows = {}
  for line in io.lines(path) do
    local row = {}
    for cell in (line .. "\t"):gmatch "([^\t]*)\t" do row[#row + 1] = cell end
    rows[#rows + 1] = row
  end
  return rows
end

function tap.finish()
  print("1.." .. tap.number)
  os.exit(tap.failed == 0, true)
end

return tap
