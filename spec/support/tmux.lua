-- SPDX-License-Identifier: MIT
-- A terminal of its own, that tmux keeps: keys go in, and what is on the screen comes out.

local await = require "spec.support.await"
local project = require "spec.support.project"

local tmux = {}
local Tmux = {}
Tmux.__index = Tmux

local function quote(value) return "'" .. value:gsub("'", "'\\''") .. "'" end

--- Runs a shell command in a new terminal. before: shell text with what is to be in its environment.
function tmux.start(columns, rows, command, before)
  local folder, remove = project.folder()
  local self = setmetatable({ socket = folder .. "/socket", remove = remove }, Tmux)
  local output, status = project.run(("%s TERM=xterm-256color tmux -u -S %s -f /dev/null new-session -d -x %d -y %d %s")
    :format(before or "", self.socket, columns, rows, quote(command)))
  if status ~= 0 then
    remove()
    error("tmux did not start: " .. output, 2)
  end
  return self
end

local function run(self, words) return (project.run(("tmux -S %s %s"):format(self.socket, words))) end

--- What is on the screen; with "-e" colours too.
function Tmux:screen(flags) return run(self, "capture-pane -p " .. (flags or "")) end

--- Presses keys, as tmux names them.
function Tmux:keys(...)
  for i = 1, select("#", ...) do run(self, "send-keys " .. quote((select(i, ...)))) end
end

--- Types a text as it is.
function Tmux:type(text) run(self, "send-keys -l " .. quote(text)) end

function Tmux:resize(columns, rows) run(self, ("resize-window -x %d -y %d"):format(columns, rows)) end

--- "0 1": whether it is the other screen, and the cursor is shown.
function Tmux:modes() return run(self, "display-message -p '#{alternate_on} #{cursor_flag}'"):match "^%d %d" end

--- Waits until the screen has the pattern, and returns it.
function Tmux:shows(pattern)
  local screen
  local ok, err = pcall(await, pattern, function()
    screen = self:screen()
    return screen:find(pattern)
  end)
  if not ok then error(tostring(err) .. " in:\n" .. tostring(screen), 2) end
  return screen
end

function Tmux:stop()
  run(self, "kill-server")
  self.remove()
end

return tmux
