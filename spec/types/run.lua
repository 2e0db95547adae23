-- SPDX-License-Identifier: MIT
-- Checks the examples and the documentation's blocks of Lua against types/chainlink.lua by emmylua_check: no warning
-- may be left. First it has to find planted mistakes, so that a stub that allows everything is noticed. `make types`
-- starts it, from the project's folder.

local documents = require "spec.support.documents"
local project = require "spec.support.project"

local answer, absent = project.run "scripts/emmylua"
if absent ~= 0 then
  io.stderr:write(answer)
  os.exit(1)
end
local checker = answer:match "^[^\n]*"

local root, remove = project.folder()

local function finish(failure)
  remove()
  if failure then io.stderr:write(failure, "\n") end
  os.exit(failure and 1 or 0)
end

-- A folder with the stub, what the blocks take for given, and files of its own.
local function workspace(name, files)
  local folder = root .. "/" .. name
  project.run(("mkdir -p %s && cp types/*.lua spec/types/given.lua %s"):format(folder, folder))
  for path, text in pairs(files) do project.write(folder .. "/" .. path, text) end
  return folder
end

local function check(folder)
  return project.run(("timeout 60 '%s' --severity warn --warnings-as-errors %s"):format(checker, folder))
end

-- Each expected finding has its line, and no other line has one.
local function check_planted()
  local text = project.read "spec/types/planted.lua"
  local output, status = check(workspace("planted", { ["planted.lua"] = text }))
  local number, count = 0, 0
  local found = {}
  for words, line in output:gmatch "%f[%a]%a+: ([^\n]+)\n[^\n]-planted%.lua:(%d+):" do found[tonumber(line)] = words end
  for line in text:gmatch "([^\n]*)\n" do
    number = number + 1
    local expected = line:match "%-%->%s(.*)$"
    if expected then count = count + 1 end
    if expected and not (found[number] or ""):find(expected, 1, true) or found[number] and not expected then
      finish(("planted.lua:%d: expected %q, the checker says %q\n%s"):format(number, expected or "nothing",
        found[number] or "nothing", output))
    end
  end
  if count == 0 or status == 0 then finish("no planted mistake was found:\n" .. output) end
  return count
end

-- Names that tell where a block or example is.
local function sources()
  local files, count = {}, 0
  local function add(name, text)
    files[name] = text
    count = count + 1
  end
  for path in project.run "ls examples/*.lua":gmatch "[^\n]+" do add(path:gsub("/", "_"), project.read(path)) end
  for path in project.run "ls examples/tutorials/*.lua":gmatch "[^\n]+" do
    add(path:match "[^/]*$", project.read(path)) -- by its own name, as the others load it
  end
  for _, path in ipairs(documents.paths()) do
    for _, block in ipairs(documents.blocks(path, "lua")) do
      -- The block's lines keep their numbers of the page.
      add(("%s_%d.lua"):format(path:gsub("[/.]", "_"), block.line), ("\n"):rep(block.line) .. block.text)
    end
  end
  if count < 15 then finish("only " .. count .. " sources") end
  return files, count
end

local planted = check_planted()
local files, count = sources()
for _, library in ipairs { "cqueues", "copas", "luv", "socket" } do -- of which the checker knows nothing
  files[library .. ".lua"] = "---@type any\nlocal library\nreturn library\n"
end
local output, status = check(workspace("sources", files))
if status ~= 0 then finish(output) end
print(("%d examples and blocks without a warning, %d planted mistakes found"):format(count, planted))
finish()
