-- SPDX-License-Identifier: MIT
-- Runs programs that do not end.

local project = require "spec.support.project"

local endless = {}

--- Runs the shell command, which begins with `timeout`, until it has written so many lines, and kills it then: whole
--- lines of its output. What it says on standard error is the command's matter.
function endless.run(command, lines)
  local folder, remove = project.folder()
  local output, status = project.run(([[
    : >%s/out
    %s >%s/out & pid=$!
    until [ "$(wc -l <%s/out)" -ge %d ]; do kill -0 $pid || exit 1; sleep 0.02; done
    pkill -KILL -P $pid; wait $pid; true]]):format(folder, command, folder, folder, lines))
  local text = project.read(folder .. "/out")
  remove()
  assert(status == 0, output .. text)
  return text:match "^.*\n"
end

return endless
