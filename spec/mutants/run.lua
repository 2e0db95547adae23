-- SPDX-License-Identifier: MIT
-- `make mutants`: plants one small fault after the other in a copy of the project and sees whether a test notices.
--   lua spec/mutants/run.lua            in the project's folder; by the environment:
--   FILES    files and folders; when empty all of src/ and lua/, but for the simulator and what only nginx runs
--   SEED     which sample; SAMPLE how many changes of each folder
--   NEAR     when not empty, only the tests of a file itself judge it: faster, with more survivors
--   CHECKED  when not empty, a sanitizer looks at what survived in C, in the C tests
--   MINUTES  how long, from when the copy is built; JOBS how many at a time
--   FLOOR    the percentage of noticed faults under which the run fails
-- With arguments (FOLDER NUMBER) it is one of those JOBS.

package.path = "./?.lua;" .. package.path
local plan = require "spec.mutants.plan"
local reach = require "spec.mutants.reach"
local tree = require "spec.mutants.tree"
local worker = require "spec.mutants.worker"

local EQUIVALENT = "spec/mutants/equivalent.txt"

local function setting(name, default)
  local value = os.getenv(name)
  return value and value ~= "" and value or default
end

local function number(name, default)
  return assert(tonumber(setting(name, default)), name .. " is no number")
end

local function read_lines(command)
  local pipe, lines = assert(io.popen(command)), {}
  for line in pipe:lines() do lines[#lines + 1] = line end
  pipe:close()
  return lines
end

local function files()
  local paths = {}
  local wanted = setting("FILES", "src lua")
  for _, path in ipairs(read_lines(("find %s -name '*.c' -o -name '*.lua' | LC_ALL=C sort"):format(wanted))) do
    local simulator = path:find "^src/simulator/" or path == "src/lua/lsimulator.c"
    local nginx = path:find "openresty" -- its Lua is LuaJIT, which the copies are not built for
    if not (simulator or nginx) or wanted == path then paths[#paths + 1] = path end
  end
  assert(#paths > 0, "no source file in " .. wanted)
  return paths
end

-- The same plan in every worker: it depends on the settings and on clean/ alone.
local function make_plan(root)
  return plan.make(root, files(), number("SEED", 1), number("SAMPLE", 1e9))
end

-- ---- a worker ----

if #arg == 2 then
  local folder = arg[1]
  local options = { near = setting "NEAR" ~= nil, checked = setting "CHECKED" ~= nil,
    reach = tree.exists(folder .. "/reach") }
  io.stdout:setvbuf "line"
  worker.run(folder, tonumber(arg[2]), make_plan(folder .. "/clean"), tonumber(tree.read(folder .. "/deadline")),
    options, function(line) io.stdout:write(line, "\n") end)
  os.exit(0)
end

-- ---- the run ----

-- The folder of what the tests are known to run: true as long as neither the sources nor what tests share change.
local function records()
  local root = read_lines("pwd")[1] .. "/build/mutants"
  local sources = "git ls-files -co --exclude-standard -- src lua spec bin Makefile | LC_ALL=C sort | " ..
    "grep -Ev '^spec/(mutants/|.*_spec.lua|c/test_)'"
  local sum = read_lines(sources .. " | xargs cat 2>/dev/null | sha1sum")[1]:match "^%x+"
  assert(tree.run("mkdir -p " .. tree.quote(root .. "/" .. sum)) == 0)
  return root .. "/" .. sum
end

local function prepare(folder)
  tree.copy(".", folder .. "/clean")
  assert(tree.make(folder .. "/clean", "-j2 all"), "the unchanged tree does not build")
  if setting "CHECKED" then assert(tree.make(folder .. "/clean", "-j2 build/asan/c/libcds.a", "address")) end
  local folders = "todo taken" .. (reach.prepare(folder .. "/clean") and " reach" or "")
  assert(tree.run(("cd %s && mkdir %s"):format(folder, folders)) == 0)
  tree.write(folder .. "/records", records())
  local changes, equivalents = make_plan(folder .. "/clean"), plan.equivalents(EQUIVALENT)
  local counted = {}
  for index, change in ipairs(changes) do
    if equivalents[plan.key(change)] then
      change.result = "equivalent"
    else
      tree.write(("%s/todo/%d"):format(folder, index), "")
      counted[#counted + 1] = change
    end
  end
  print(("%d changes in %d files; %d are listed as equivalent"):format(#changes, #files(), #changes - #counted))
  return changes
end

local function work(folder, changes)
  local command, shield = {}, tree.shield()
  for i = 1, number("JOBS", 1) do
    command[i] = ("%s%s spec/mutants/run.lua %s %d &"):format(shield, setting("LUA_BIN", "lua5.4"), tree.quote(folder),
      i)
  end
  local pipe = assert(io.popen(table.concat(command, " ") .. " wait"))
  for line in pipe:lines() do
    local index, result, reason = line:match "^(%d+) (%S+) ?(.*)$"
    if index then
      local change = changes[tonumber(index)]
      change.result = result
      if result == "survived" then print("survived: " .. plan.describe(change)) end
      if os.getenv "V" and result ~= "survived" then
        print(("%s: %s (%s)"):format(result, plan.describe(change), reason))
      end
    else
      print(line)
    end
  end
  pipe:close()
end

local function percent(row)
  local tried = row.killed + row.survived
  return tried > 0 and 100 * row.killed / tried or 100
end

local function print_row(name, row)
  print(("%-22s %4d killed %4d survived %6.1f %% %4d equivalent %4d not built %5d not tried"):format(name, row.killed,
    row.survived, percent(row), row.equivalent, row["not-built"], row.left))
end

local function count(changes)
  local rows, names = {}, {}
  local function row_of(name)
    if not rows[name] then
      rows[name] = { killed = 0, survived = 0, equivalent = 0, ["not-built"] = 0, left = 0 }
      if name ~= "all" then names[#names + 1] = name end
    end
    return rows[name]
  end
  for _, change in ipairs(changes) do
    for _, name in ipairs { change.folder, "all" } do
      local row = row_of(name)
      local result = change.result or "left"
      row[result] = row[result] + 1
    end
  end
  table.sort(names)
  return rows, names
end

local function report(changes)
  local rows, names = count(changes)
  print ""
  for _, name in ipairs(names) do print_row(name, rows[name]) end
  print_row("all", rows.all)
  local floor = number("FLOOR", 0)
  local tried = rows.all.killed + rows.all.survived
  if tried == 0 then
    print(("not ok 1 - no fault was tried within %g minutes"):format(number("MINUTES", 10)))
    return false
  end
  local good = percent(rows.all) >= floor
  print(("%sok 1 - at least %g %% of %d faults are noticed"):format(good and "" or "not ", floor, tried))
  return good
end

local folder = read_lines("mktemp -d")[1]
local ok, good = pcall(function()
  local changes = prepare(folder)
  tree.write(folder .. "/deadline", tostring(tree.now() + 60 * number("MINUTES", 10)))
  work(folder, changes)
  return report(changes)
end)
tree.run("rm -rf " .. tree.quote(folder))
if not ok then io.stderr:write(tostring(good), "\n") end
os.exit(ok and good and 0 or 1)
