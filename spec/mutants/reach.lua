-- SPDX-License-Identifier: MIT
-- Which tests run a change: one that does not cannot notice it. Of C, a build that counts tells the lines; of Lua, a
-- hook tells the functions (spec/mutants/called.lua). Each test's record is a folder.

local tree = require "spec.mutants.tree"

local reach = {}

--- Makes the build that counts; false when the project has none, and then nothing is known.
function reach.prepare(root)
  return tree.make(root, "-j2 all build/coverage/c/libcds.a", "coverage")
end

--- The environment in which a test writes its record: of what it runs of a language, "c" or "lua".
function reach.environment(root, record, language)
  if language == "c" then return ("GCOV_PREFIX=%s/lines GCOV_ERROR_FILE=/dev/null "):format(record) end
  return ("CALLED=%s/called LUA_INIT=@%s/spec/mutants/called.lua "):format(record, root)
end

local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

--- Puts the compiler's notes beside what a test counted: those of a later build do not fit.
function reach.keep(root, record)
  local folder = "build/coverage"
  local copy = "find . -name '*.gcda' | sed 's/gcda$/gcno/' | while read -r path; do " ..
    "cp %s/%s/${path##*/%s/} $path; done"
  tree.run(("cd %s/lines && " .. copy):format(record, root, folder, folder))
end

-- How often each line of a C file was run, as gcov tells it; nil when the file was not run at all. Lines without code
-- are left out.
local function counts(root, record, path)
  local object = tree.object(path, "coverage"):gsub("%.o$", ".gcda")
  local gcda = output_of(("find %s/lines -path '*/%s' 2>/dev/null"):format(record, object)):match "^[^\n]+"
  if not gcda then return nil end
  local text = output_of(("cd %s && gcov -t %s 2>/dev/null"):format(root, gcda))
  local found, here = {}, false
  for line in text:gmatch "[^\n]+" do
    local source = line:match "^ *%-: *0:Source:(.*)"
    if source then here = source == path end
    local count, number = line:match "^ *([%d#=]+)%*?: *(%d+):"
    if here and count then found[tonumber(number)] = tonumber(count) or 0 end
  end
  return found
end

local known = {}

local function runs_c(root, record, change)
  local key = record .. " " .. change.path
  if known[key] == nil then known[key] = counts(root, record, change.path) or false end
  local found = known[key]
  if not found then return false end
  -- A constant's definition has no code: whoever runs the file may use it.
  return found[change.line] ~= 0
end

local function runs_lua(root, record, change)
  local loaded = false
  for line in (tree.read(record .. "/called") or ""):gmatch "[^\n]+" do
    local source, first, last = line:match "^@?(.*) (%-?%d+) (%-?%d+)$"
    if source:sub(-#change.path - 1) == "/" .. change.path then
      if first == "0" then loaded = true end
      if tonumber(first) <= change.line and change.line <= tonumber(last) then return true end
    end
  end
  local main = assert(loadfile(root .. "/" .. change.path))
  return loaded and debug.getinfo(main, "L").activelines[change.line] == true
end

--- Does the test with this record run the change? root is the unchanged tree.
function reach.runs(root, record, change)
  return (change.path:find "%.c$" and runs_c or runs_lua)(root, record, change)
end

return reach
