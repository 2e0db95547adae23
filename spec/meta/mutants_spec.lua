-- SPDX-License-Identifier: MIT
-- The tool of `make mutants`: what it plants, and what it says became of that in a project of one file.
local plan = require "spec.mutants.plan"
local project = require "spec.support.project"
local reach = require "spec.mutants.reach"
local rules = require "spec.mutants.rules"

-- The changes of a text as "rule: before -> after".
local function changes(text, language)
  local found = {}
  for i, change in ipairs(rules.changes(text, language)) do
    found[i] = ("%s: %s -> %s"):format(change.rule, change.before, change.after)
    assert.equal(change.after, (rules.apply(text, change):gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")))
  end
  return found
end

local function in_c(line)
  local found = changes("void f(void) { " .. line .. " }", "c")
  for i, change in ipairs(found) do found[i] = change:gsub("void f%(void%) { ", ""):gsub(" }", "") end
  return found
end

describe("a change of C", function()
  local planted = {
    ["x = a < b;"] = { "comparison: x = a < b; -> x = a <= b;" },
    ["x = a != b;"] = { "comparison: x = a != b; -> x = a == b;" },
    ["x = a && b;"] = { "logic: x = a && b; -> x = a || b;" },
    ["x = a + b;"] = { "arithmetic: x = a + b; -> x = a - b;" },
    ["x = 0;"] = { "constant: x = 0; -> x = 1;" },
    ["x = 0xffu;"] = { "constant: x = 0xffu; -> x = 0x100u;" },
    ["x = n - 8;"] = { "arithmetic: x = n - 8; -> x = n + 8;", "constant: x = n - 8; -> x = n - 9;",
      "boundary: x = n - 8; -> x = n - 7;" },
    ["x = true;"] = { "constant: x = true; -> x = false;" },
    ["if (a) x = y;"] = { "condition: if (a) x = y; -> if (!(a)) x = y;" },
    ["if (!a) x = y;"] = { "condition: if (!a) x = y; -> if (a) x = y;" },
    ["if (a == b) x = y;"] = { "comparison: if (a == b) x = y; -> if (a != b) x = y;" },
    ["return CDS_OK;"] = { "status: return CDS_OK; -> return CDS_E_MEMORY;" },
    ["if (a) return status;"] = { "condition: if (a) return status; -> if (!(a)) return status;",
      "status: if (a) return status; -> if (a) return CDS_OK;" },
    ["tidy(a->b);"] = { "dropped call: tidy(a->b); -> ;" },
    ["(void)tidy(a);"] = { "dropped call: (void)tidy(a); -> ;" },
    ["if (a) cds_free(a);"] = { "condition: if (a) cds_free(a); -> if (!(a)) cds_free(a);",
      "dropped free: if (a) cds_free(a); -> if (a) ;" },
    ["pthread_mutex_unlock(&lock);"] = { "dropped lock: pthread_mutex_unlock(&lock); -> ;" },
    ["cds_event_add(e);"] = { "dropped event: cds_event_add(e); -> ;" },
    ["x = f(a, b[c, d]);"] = { "swapped arguments: x = f(a, b[c, d]); -> x = f(b[c, d], a);" },
    ["x = f(a, \"text\");"] = {},
    ["x = cds_calloc(n, sizeof *x);"] = {},
    ["x = a->b[i] < c ? a->b[i] : c;"] = {},
    ["x = a < b ? b : c;"] = { "comparison: x = a < b ? b : c; -> x = a <= b ? b : c;" },
    ["x = d + a < b ? a : b;"] = { "arithmetic: x = d + a < b ? a : b; -> x = d - a < b ? a : b;",
      "comparison: x = d + a < b ? a : b; -> x = d + a <= b ? a : b;" },
    ["if (a > b) b = a;"] = { "condition: if (a > b) b = a; -> if (!(a > b)) b = a;" },
    ["x = strcmp(a, b) == 0;"] = { "comparison: x = strcmp(a, b) == 0; -> x = strcmp(a, b) != 0;",
      "constant: x = strcmp(a, b) == 0; -> x = strcmp(a, b) == 1;" },
    ["x = strcmp(a, b);"] = { "swapped arguments: x = strcmp(a, b); -> x = strcmp(b, a);" },
    ["lua_createtable(L, n + 1, 0);"] = { "dropped call: lua_createtable(L, n + 1, 0); -> ;" },
    ["char text[64] = {0};"] = {},
    ["x = *a; /* a < b && 0 */ // a == 1"] = {},
    ["x = \"a < b \\\" == 0\", y = '<';"] = {},
  }
  for line, expected in pairs(planted) do
    it("is planted in " .. line, function()
      assert.same(expected, in_c(line))
    end)
  end

  it("is not planted in what is only declared or included", function()
    local text = "#include <x.h>\n#if A < 1\n#endif\nint f(int a, int b);\nstatic void g(int c, int d) {\n}\n"
    assert.same({}, changes(text, "c"))
  end)

  it("knows its line and file", function()
    local folder, remove = project.folder()
    os.execute("mkdir -p " .. folder .. "/src/base")
    project.write(folder .. "/src/base/x.c", "/* two\n * lines */\n\nint x = 7;\n")
    local found = plan.of_file(folder, "src/base/x.c")
    remove()
    assert.equal(1, #found)
    assert.equal("src/base/x.c:4: constant: int x = 7; -> int x = 8;", plan.describe(found[1]))
    assert.equal("src/base/x.c: constant: int x = 7; -> int x = 8;", plan.key(found[1]))
  end)
end)

describe("a change of Lua", function()
  local planted = {
    ["x = a ~= b"] = { "comparison: x = a ~= b -> x = a == b" },
    ["x = a and b"] = { "logic: x = a and b -> x = a or b" },
    ["if a then x = y end"] = { "condition: if a then x = y end -> if not (a) then x = y end" },
    ["if a then\n  tidy()\nend"] = { "condition: if a then -> if not (a) then", "dropped call: tidy() ->" },
    ["local a = b\nobject:tidy(a)\na = c"] = { "dropped call: object:tidy(a) ->" },
    ["x = tidy(a)\n  .y"] = {},
    ["-- a < b\nx = [[ 1 < 2 ]] --[==[ 0 ]] ]==]"] = {},
    ["f(a, b)"] = { "swapped arguments: f(a, b) -> f(b, a)" },
    ["x = a:sub(1, 3)"] = { "swapped arguments: x = a:sub(1, 3) -> x = a:sub(3, 1)",
      "constant: x = a:sub(1, 3) -> x = a:sub(1, 4)" },
    ["x = a:find(b, 1, true)"] = { "swapped arguments: x = a:find(b, 1, true) -> x = a:find(1, b, true)",
      "swapped arguments: x = a:find(b, 1, true) -> x = a:find(b, true, 1)",
      "constant: x = a:find(b, 1, true) -> x = a:find(b, 1, false)" },
    ["local function f(a, b) end"] = {},
    ["function object.f(a, b) end"] = {},
    ["x = math.max(a, b)"] = {},
    ["if a.b > c then c = a.b end"] = { "condition: if a.b > c then c = a.b end -> if not (a.b > c) then c = a.b end" },
  }
  for text, expected in pairs(planted) do
    it("is planted in " .. text:gsub("\n", " "), function()
      local found = {}
      for i, change in ipairs(rules.changes(text, "lua")) do
        found[i] = ("%s: %s -> %s"):format(change.rule, change.before, change.after):gsub(" $", "")
      end
      assert.same(expected, found)
    end)
  end
end)

describe("the list of equivalent changes", function()
  it("wants a reason for each", function()
    local folder, remove = project.folder()
    local path = folder .. "/list"
    project.write(path, "# why not\n\na.c:12: rule: x -> y\n  because\na.c: rule: y -> z\n  too\n")
    assert.same({ ["a.c: rule: x -> y"] = "because", ["a.c: rule: y -> z"] = "too" }, plan.equivalents(path))
    project.write(path, "a.c: rule: x -> y\na.c: rule: y -> z\n  too\n")
    assert.has_error(function() plan.equivalents(path) end)
    remove()
  end)

  it("names changes that there are", function()
    local known = {}
    for key in pairs(plan.equivalents "spec/mutants/equivalent.txt") do
      local path = key:match "^[^:]+"
      if not known[path] then
        known[path] = {}
        for _, change in ipairs(plan.of_file(".", path)) do known[path][plan.key(change)] = true end
      end
      assert.truthy(known[path][key], "no longer in the sources: " .. key)
    end
  end)
end)

describe("a sample", function()
  it("is the same for a seed, and takes the folders in turn", function()
    local paths = { "src/base/buf.c", "src/codec/hex.c" }
    local function keys(seed)
      local list = {}
      for i, change in ipairs(plan.make(".", paths, seed, 5)) do list[i] = plan.key(change) end
      return list
    end
    assert.same(keys(1), keys(1))
    assert.not_same(keys(1), keys(2))
    assert.equal(10, #keys(1))
    assert.matches("^src/base/.* src/codec/", table.concat(keys(3), " "))
  end)
end)

describe("what a test reaches", function()
  local folder, remove, record

  before_each(function()
    folder, remove = project.folder()
    record = folder .. "/record"
    project.run(("mkdir -p %s/spec %s/src/base %s/lua/chainlink %s"):format(folder, folder, folder, record))
    project.run(("cp -r spec/mutants %s/spec"):format(folder))
  end)
  after_each(function() remove() end)

  -- The lines of a file that are run, of so many.
  local function lines_run(path, count)
    local lines = {}
    for line = 1, count do
      if reach.runs(folder, record, { path = path, line = line }) then lines[#lines + 1] = line end
    end
    return lines
  end

  it("are the functions of Lua that it calls, in coroutines too, and what a file does when it is loaded", function()
    project.write(folder .. "/lua/chainlink/toy.lua", [[
local toy = { one = 1 }
function toy.called()
  return toy.one
end
function toy.left_out()
  return toy.one
end
function toy.inside()
  return coroutine.yield(toy.called())
end
return toy
]])
    project.write(folder .. "/lua/chainlink/other.lua", "return 1\n")
    project.write(folder .. "/test.lua", [[
local toy = dofile(arg[1])
local step = coroutine.wrap(toy.inside)
assert(step() == 1 and step(2) == 2)
assert(not pcall(coroutine.wrap(error), "x"))
]])
    local environment = reach.environment(folder, record, "lua")
    local output, status = project.run(("cd %s && env %s %s test.lua %s/lua/chainlink/toy.lua"):format(folder,
      environment, project.lua, folder))
    assert.equal(0, status, output)
    local run = lines_run("lua/chainlink/toy.lua", 12)
    for _, line in ipairs { 1, 2, 3, 8, 9, 11 } do
      assert.truthy((" " .. table.concat(run, " ") .. " "):find(" " .. line .. " ", 1, true), line)
    end
    assert.falsy((" " .. table.concat(run, " ") .. " "):find(" 6 ", 1, true))
    assert.same({}, lines_run("lua/chainlink/other.lua", 1))
  end)

  it("are the lines of C that a build counts", function()
    project.write(folder .. "/src/base/toy.c", [[
#define LIMIT 7

int main(int argc, char **argv) {
  (void)argv;
  if (argc > LIMIT)
    return argc;
  return 0;
}
]])
    local built, built_status = project.run(("cd %s && mkdir -p build/coverage/obj/base && cc --coverage -c -o " ..
      "build/coverage/obj/base/toy.o src/base/toy.c && cc --coverage -o toy build/coverage/obj/base/toy.o"):format(
      folder))
    assert.equal(0, built_status, built)
    local output, status = project.run(("cd %s && env %s ./toy"):format(folder, reach.environment(folder, record, "c")))
    assert.equal(0, status, output)
    reach.keep(folder, record)
    os.remove(folder .. "/build/coverage/obj/base/toy.gcno")
    assert.same({ 1, 2, 3, 4, 5, 7, 8 }, lines_run("src/base/toy.c", 8))
    assert.same({}, lines_run("src/base/other.c", 1))
  end)
end)

describe("what runs changed code", function()
  it("cannot take the system's devices away, where it is root's", function()
    local shield = require "spec.mutants.tree".shield()
    local points = project.run(shield .. "cut -d ' ' -f 5 /proc/self/mountinfo")
    if shield == "" then return pending "no mounts are allowed here" end
    for _, name in ipairs { "null", "full", "zero" } do
      assert.truthy(points:find("\n/dev/" .. name .. "\n", 1, true), name)
    end
    assert.falsy(project.run "cut -d ' ' -f 5 /proc/self/mountinfo":find("\n/dev/full\n", 1, true))
  end)
end)

describe("a run", function()
  local MAKEFILE = [[
all: build/obj/base/toy.o
build/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Isrc -c -o $@ $<
build/c/%: spec/c/%.c build/obj/base/toy.o
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Isrc -o $@ $^
env:
]]
  local TOY = [[
int cds_is_later(int a, int b) {
  return a > b;
}
int cds_is_late(int hour) {
  if (hour < 22) return 0;
  return 1;
}
]]
  local TEST = [[
int cds_is_later(int a, int b);
int cds_is_late(int hour);
int main(void) {
  return cds_is_later(2, 1) && !cds_is_later(1, 2) && !cds_is_late(12) && cds_is_late(23) ? 0 : 1;
}
]]
  local folder, remove

  local function run(settings)
    return project.run(("cd %s && %s V=1 %s spec/mutants/run.lua"):format(folder, settings, project.lua))
  end

  setup(function()
    folder, remove = project.folder()
    project.run(("mkdir -p %s/src/base %s/spec/c %s/spec/support"):format(folder, folder, folder))
    project.run(("cp -r spec/mutants %s/spec && cp spec/support/project.lua %s/spec/support && git -C %s init"):format(
      folder, folder, folder))
    project.write(folder .. "/Makefile", MAKEFILE)
    project.write(folder .. "/src/base/toy.c", TOY)
    project.write(folder .. "/spec/c/test_toy.c", TEST)
    project.write(folder .. "/spec/mutants/equivalent.txt", "")
  end)
  teardown(function() remove() end)

  it("tells what the test noticed and what not", function()
    local output, status = run "JOBS=2 MINUTES=5 FLOOR=40 FILES=src"
    assert.equal(0, status, output)
    for _, line in ipairs {
      "survived: src/base/toy.c:2: comparison: return a > b; -> return a >= b;",
      "survived: src/base/toy.c:5: comparison: if (hour < 22) return 0; -> if (hour <= 22) return 0;",
      "survived: src/base/toy.c:5: constant: if (hour < 22) return 0; -> if (hour < 23) return 0;",
      "killed: src/base/toy.c:6: constant: return 1; -> return 0; (test_toy)",
      "src/base                  3 killed    4 survived   42.9 %",
    } do assert.truthy(output:find(line, 1, true), line .. "\n" .. output) end
    assert.equal(TOY, project.read(folder .. "/src/base/toy.c"))
  end)

  it("fails under its floor", function()
    local output, status = run "MINUTES=5 FLOOR=80 FILES=src"
    assert.equal(1, status, output)
    assert.truthy(output:find("not ok 1 - at least 80 % of 7 faults are noticed", 1, true), output)
  end)

  it("fails when there was no time to try one", function()
    local output, status = run "MINUTES=0 FILES=src"
    assert.equal(1, status, output)
    assert.truthy(output:find("not ok 1 - no fault was tried within 0 minutes", 1, true), output)
  end)

  it("does not count what is listed as equivalent", function()
    project.write(folder .. "/spec/mutants/equivalent.txt",
      "src/base/toy.c: comparison: return a > b; -> return a >= b;\n  nobody asks for two of one hour\n")
    local output = run "MINUTES=5 FILES=src"
    project.write(folder .. "/spec/mutants/equivalent.txt", "")
    assert.falsy(output:find("a >= b", 1, true), output)
    assert.truthy(output:find("1 equivalent", 1, true), output)
  end)

  it("does not take a test's word that fails without a change", function()
    project.write(folder .. "/spec/c/test_toy.c", "int main(void) { return 1; }\n")
    local output, status = run "MINUTES=5 FILES=src"
    project.write(folder .. "/spec/c/test_toy.c", TEST)
    assert.truthy(output:find("# test_toy fails without a change: left out", 1, true), output)
    assert.equal(0, status, output)
    assert.truthy(output:find(" 0 killed    7 survived", 1, true), output)
  end)
end)
