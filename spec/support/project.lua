-- SPDX-License-Identifier: MIT
-- What the specs about the project itself share: reading files and running commands.

local project = {}

function project.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

function project.write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

--- Runs a shell command: its whole output (errors too) and its status.
function project.run(command)
  local pipe = assert(io.popen("( " .. command .. " ) 2>&1; echo \" $?\"", "r"))
  local text = pipe:read "*a"
  pipe:close()
  local output, status = text:match "^(.*) (%d+)\n$"
  return output, tonumber(status)
end

--- A new folder, and a function that removes it.
function project.folder()
  local pipe = assert(io.popen("mktemp -d", "r"))
  local path = pipe:read "*l"
  pipe:close()
  return path, function() os.execute("rm -rf '" .. path .. "'") end
end

--- The interpreter that runs the specs.
project.lua = os.getenv "LUA_BIN" or "lua5.4"

return project
