-- SPDX-License-Identifier: MIT
-- Runs programs that do not end.

local project = require "spec.support.project"

local endless = {}

local TRIES = 4500 -- each 20 ms and more: a bound for a hang

--- Runs one simple command of the shell until it has written so many lines, and kills it then: whole lines of its
--- output. What it says on standard error is the command's matter.
function endless.run(command, lines)
  local folder, remove = project.folder()
  local output, status = project.run(([[
    : >%s/out
    %s >%s/out & pid=$! tries=0
    until [ "$(wc -l <%s/out)" -ge %d ] || [ $tries -eq %d ]; do
      kill -0 $pid || exit 1
      sleep 0.02
      tries=$((tries + 1))
    done
    kill -KILL $pid; wait $pid; [ $tries -lt %d ] ]]):format(folder, command, folder, folder, lines, TRIES, TRIES))
  local text = project.read(folder .. "/out")
  remove()
  assert(status == 0, output .. text)
  return text:match "^.*\n"
end

return endless
