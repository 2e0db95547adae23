-- SPDX-License-Identifier: MIT
-- Which changes are tried, and in which order: a sample by a seed, the folders in turn. Those listed as equivalent are
-- taken out.

local rules = require "spec.mutants.rules"

local plan = {}

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

--- How a change is told, and known again when lines have moved: without its line's number.
function plan.key(change)
  return ("%s: %s: %s -> %s"):format(change.path, change.rule, change.before, change.after)
end

function plan.describe(change)
  return (plan.key(change):gsub("^[^:]*", function(path) return path .. ":" .. change.line end))
end

--- All changes of a file below root.
function plan.of_file(root, path)
  local changes = rules.changes(read(root .. "/" .. path), path:find "%.c$" and "c" or "lua")
  for _, change in ipairs(changes) do
    change.path, change.folder = path, path:match "^(.*)/"
  end
  return changes
end

-- The same numbers from every Lua (the constants of Lehmer's generator).
local function generator(seed)
  local state = seed % 2147483646 + 1
  return function(limit)
    state = state * 48271 % 2147483647
    return state % limit + 1
  end
end

local function shuffle(list, seed)
  local random = generator(seed)
  for _ = 1, 10 do random(2) end
  for i = #list, 2, -1 do
    local j = random(i)
    list[i], list[j] = list[j], list[i]
  end
end

local function by_folder(root, paths)
  local folders, names = {}, {}
  for _, path in ipairs(paths) do
    for _, change in ipairs(plan.of_file(root, path)) do
      if not folders[change.folder] then
        folders[change.folder] = {}
        names[#names + 1] = change.folder
      end
      table.insert(folders[change.folder], change)
    end
  end
  table.sort(names)
  return folders, names
end

--- The changes of the files in the order in which they are tried: at most `sample` of each folder.
function plan.make(root, paths, seed, sample)
  local folders, names = by_folder(root, paths)
  local list, at, found = {}, 1, true
  for _, name in ipairs(names) do shuffle(folders[name], seed) end
  while found and at <= sample do
    found = false
    for _, name in ipairs(names) do
      local change = folders[name][at]
      if change then
        found = true
        list[#list + 1] = change
      end
    end
    at = at + 1
  end
  return list
end

--- The list of equivalent changes: lines as `plan.key` gives them (a line's number may stand behind the path), each
--- followed by an indented line that says why. Gives a table by key, and an error for a line without its reason.
function plan.equivalents(path)
  local found, last = {}, nil
  for line in io.lines(path) do
    if line:find "^%s+%S" then
      assert(last, path .. ": a reason without a change: " .. line)
      found[last], last = line:match "^%s+(.*)", nil
    elseif line ~= "" and not line:find "^#" then
      assert(not last, path .. ": no reason is given for: " .. tostring(last))
      last = line:gsub("^([^:]+):%d+:", "%1:")
    end
  end
  assert(not last, path .. ": no reason is given for: " .. tostring(last))
  return found
end

return plan
