-- SPDX-License-Identifier: MIT
-- Takes change after change from the plan, makes it in a copy of its own, and tells what became of it, a line each:
--   INDEX killed|survived|equivalent|not-built|left REASON
-- Several of these share a folder: todo/N stands for a change that nobody has taken, passed/ tells how long each test
-- takes when nothing is changed. Each has two copies of the tree, of which one is never changed.

local rules = require "spec.mutants.rules"
local tests = require "spec.mutants.tests"
local tree = require "spec.mutants.tree"

local worker = {}

-- Without a change no test is known to take longer; the machine may be busy.
local LONGEST = 300

-- A test that takes longer than this many seconds waits for others, and may fail because the machine is busy: it has
-- noticed a change only when it fails twice.
local QUICK = 1

-- Which sanitizer looks at a survivor in C, in the tests of its file: a race, or a leak or what lies outside of memory.
local function checker_of(change)
  return change.rule == "dropped lock" and "thread" or "address"
end

local Worker = {}
Worker.__index = Worker

local function seconds_left(self)
  return self.deadline - tree.now()
end

-- Runs a test in the unchanged tree: the seconds it takes, "fails", or "longer than N" when it was cut short; nil when
-- there was no time to see.
local function measure(self, test, checker)
  local limit = math.min(LONGEST, test.slowest)
  local passed, took = tree.build(self.clean, { test }, checker), 0
  limit = math.max(1, math.min(limit, seconds_left(self)))
  if passed then passed, took = tree.test(self.clean, test, limit, checker) end
  if seconds_left(self) <= 0 then return nil end
  if passed then return tostring(took) end
  if took >= limit then return "longer than " .. limit end
  local with = checker and " with " .. checker or ""
  self.tell(("# %s%s fails without a change: left out"):format(test.name, with))
  return "fails"
end

-- How long a test takes in the unchanged tree; false when it is not to be run, nil when there was no time to see.
local function usual_time(self, test, checker)
  local path = ("%s/passed/%s-%s"):format(self.folder, test.name:gsub("/", "+"), checker or "plain")
  local known = tree.read(path)
  local cut_at = known and tonumber(known:match "^longer than (.*)")
  if not known or cut_at and cut_at < math.min(LONGEST, test.slowest) then
    known = measure(self, test, checker)
    if not known then return nil end
    tree.write(path, known)
  end
  local usual = tonumber(known)
  return usual and usual <= test.slowest and usual or false
end

local function fails(self, test, usual, checker)
  return not tree.test(self.copy, test, math.max(1, math.min(5 * usual + 5, seconds_left(self))), checker)
end

-- The name of the first test that notices, nil when none does; "left" when time ran out before that was known. Most
-- changes are noticed by the first test: only that is built for it, then all others at once.
local function noticed_by(self, list, checker)
  local all_built = false
  for i, test in ipairs(list) do
    local usual = usual_time(self, test, checker)
    if usual == nil then return "left" end
    if i == 2 then all_built = tree.build(self.copy, list, checker) end
    local built = usual and (all_built or tree.build(self.copy, { test }, checker))
    local failed = built and fails(self, test, usual, checker)
    if failed and usual > QUICK then failed = fails(self, test, usual, checker) end
    if seconds_left(self) <= 0 then return "left" end
    if failed then return "killed", test.name .. (checker and " with " .. checker or "") end
  end
  return nil
end

-- Is what is made of the changed file the same as before? nil when nothing can be made of it.
local function is_same(self, change, changed, original)
  if change.path:find "%.lua$" then
    local load_text = loadstring or load -- luacheck: ignore 113
    local after = load_text(changed, "=x")
    if not after then return nil end
    return string.dump(after, true) == string.dump(load_text(original, "=x"), true)
  end
  local object = tree.object(change.path)
  if not self.objects[object] then
    if not tree.make(self.clean, object) then return nil end
    self.objects[object] = tree.read(self.clean .. "/" .. object)
  end
  if not tree.make(self.copy, object) then return nil end
  return tree.read(self.copy .. "/" .. object) == self.objects[object]
end

local function judge(self, change, original)
  local same = is_same(self, change, rules.apply(original, change), original)
  if same == nil then return "not-built" end
  if same then return "equivalent", "the same code" end
  local near, wide = tests.of(self.copy, change.path)
  local result, reason = noticed_by(self, near)
  if result then return result, reason end
  if not self.options.near then result, reason = noticed_by(self, wide) end
  if not result and self.options.checked then
    local checked = {}
    for _, test in ipairs(near) do
      if test.kind == "c" then checked[#checked + 1] = test end
    end
    result, reason = noticed_by(self, checked, checker_of(change))
  end
  return result or "survived", reason
end

function Worker:try(index, change)
  local path = self.copy .. "/" .. change.path
  local original = tree.read(path)
  tree.write(path, rules.apply(original, change))
  local result, reason = judge(self, change, original)
  tree.write(path, original)
  self.tell(("%d %s %s"):format(index, result, reason or ""))
end

-- Nobody else has it: only one can move the same file.
local function take(self, index)
  return os.rename(("%s/todo/%d"):format(self.folder, index), ("%s/taken/%d"):format(self.folder, index))
end

--- Works on a plan in a folder until the deadline (as tree.now counts); number is this worker's own. options: near
--- leaves the wider set of tests out, checked lets a sanitizer look at survivors.
function worker.run(folder, number, plan, deadline, options, tell)
  local self = setmetatable({ folder = folder, deadline = deadline, options = options, tell = tell, objects = {},
    clean = ("%s/clean-%d"):format(folder, number), copy = ("%s/changed-%d"):format(folder, number) }, Worker)
  tree.clone(folder .. "/clean", self.clean)
  tree.clone(folder .. "/clean", self.copy)
  for index, change in ipairs(plan) do
    if seconds_left(self) <= 0 then break end
    if take(self, index) then self:try(index, change) end
  end
end

return worker
