-- SPDX-License-Identifier: MIT
-- Recordings for the simulator's --replay: reports made here, or full reports from elsewhere, one a line in a file.

local project = require "spec.support.project"

local recording = {}

local function uint(value)
  return ("0"):rep(48) .. ("%08x%08x"):format(math.floor(value / 2 ^ 32), value % 2 ^ 32)
end

-- Words after the common head, by schema version.
local extra_words = { [3] = 3, [8] = 3, [13] = 5 }

--- A feed id of that version.
function recording.id(version, number)
  return ("0x%04x%060x"):format(version, number)
end

--- A full report of that feed and second; its values are small whole numbers. Its signatures mean nothing.
function recording.report(version, number, second, valid_from)
  local words = { recording.id(version, number):sub(3), uint(valid_from or second), uint(second), uint(1), uint(2),
    uint(second + 86400) }
  for i = 1, extra_words[version] do words[#words + 1] = uint(i) end
  local blob = table.concat(words)
  local rs = 8 * 32 + #blob / 2
  return "0x" .. table.concat {
    ("0a"):rep(32), uint(258), uint(0), uint(7 * 32), uint(rs), uint(rs + 64), uint(0),
    uint(#blob / 2), blob, uint(1), ("11"):rep(32), uint(1), ("22"):rep(32),
  }
end

--- Writes full reports to a file: its name, and a function that removes it.
function recording.file(full_reports)
  local folder, remove = project.folder()
  local lines = {}
  for i, text in ipairs(full_reports) do lines[i] = ('{"fullReport":"%s"}\n'):format(text) end
  project.write(folder .. "/recording", table.concat(lines))
  return folder .. "/recording", remove
end

return recording
