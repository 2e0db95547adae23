-- SPDX-License-Identifier: MIT
-- A copy of the project in which a file can be changed, built and tested.

local project = require "spec.support.project"

local tree = {}

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end
tree.quote = quote

function tree.read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "*a"
  file:close()
  return text
end

tree.write = project.write

--- Runs a shell command quietly: its exit status.
function tree.run(command)
  -- With an exit of its own, or the outer shell tells of every program that crashes.
  local a, _, code = os.execute("( " .. command .. "; exit $? ) >/dev/null 2>&1 </dev/null")
  if a == true then return 0 end
  return code or (a and a / 256) or 1 -- Lua 5.1 gives the number of wait()
end

-- A mount point can be neither removed nor renamed over: changed code that writes files, run by root, could do that to
-- the system's devices.
local SHIELD = "unshare -m sh -c 'for name in null full zero; do " ..
  "mount --bind /dev/$name /dev/$name || exit; done; exec \"$@\"' sh "

--- What to put before a command that runs changed code: nothing where only root would need it, or where it is refused.
function tree.shield()
  return tree.run(SHIELD .. "true") == 0 and SHIELD or ""
end

function tree.exists(path)
  return tree.run("test -e " .. quote(path)) == 0
end

--- Seconds since some moment, in hundredths.
function tree.now()
  return tonumber(tree.read("/proc/uptime"):match "^[%d.]+")
end

-- Swapped arguments of other types are no mutants, and the same code is to be known by its bytes: no line numbers.
local FLAGS = "-O2 -Werror=incompatible-pointer-types -Werror=int-conversion"

-- The settings of make and the folder of each kind of build; nil is the plain one.
local SETTINGS = { address = "SANITIZE=address", thread = "SANITIZE=thread", coverage = "COVERAGE=1" }
local FOLDERS = { address = "build/asan", thread = "build/tsan", coverage = "build/coverage" }

local function folder_of(build)
  return FOLDERS[build] or "build"
end

function tree.make(root, targets, build)
  return tree.run(("cd %s && %s -s CFLAGS=%s %s %s"):format(quote(root), os.getenv "MAKE" or "make", quote(FLAGS),
    SETTINGS[build] or "", targets)) == 0
end

--- Makes root a copy of what is in the folder from: what git knows or would take.
function tree.copy(from, root)
  local command = "mkdir -p %s/tmp && cd %s && git ls-files -co --exclude-standard -z | " ..
    "{ xargs -0 ls -d 2>/dev/null || true; } | tar -c -T - | tar -x -C %s"
  assert(tree.run(command:format(quote(root), quote(from), quote(root))) == 0, "cannot copy " .. from)
end

--- Makes root a copy of another copy, with what was built there.
function tree.clone(from, root)
  -- The command in build/ names the folder that it was made for.
  local command = ("cp -a %s %s && cd %s && rm -rf build/*/bin build/coverage/*/bin"):format(quote(from), quote(root),
    quote(root))
  assert(tree.run(command) == 0, "cannot copy " .. from)
  local settings = "make -s env >tmp/env && make -s COVERAGE=1 env >tmp/env-coverage"
  assert(tree.run(("cd %s && %s"):format(quote(root), settings)) == 0, "there is no make env")
end

--- Where the objects of a C file go.
function tree.object(path, build)
  local folder = path:find "^src/lua/" and "/5.4/obj/" or "/obj/"
  return folder_of(build) .. folder .. path:gsub("^src/", ""):gsub("%.c$", ".o")
end

-- What has to be made before a test can run.
local function target(test, build)
  if test.kind == "spec" then return "all" end
  if test.kind == "model" then return folder_of(build) .. "/model" end
  return ("%s/c/%s"):format(folder_of(build), test.name)
end

-- LeakSanitizer's exit comes last: a program that says "ok" and leaks has failed.
local CHECKED = "ASAN_OPTIONS=detect_leaks=1 LSAN_OPTIONS=suppressions=spec/support/lsan.supp " ..
  "TSAN_OPTIONS=suppressions=spec/support/tsan.supp:halt_on_error=1 "

local function command(test, build)
  if test.kind == "model" then return target(test, build) .. " 5" end
  if test.kind == "c" then return (build and build ~= "coverage" and CHECKED or "") .. "./" .. target(test, build) end
  return "${LUA_BIN:-lua5.4} $(command -v busted) --pattern=_spec --no-keep-going " .. test.name
end

--- What a test's file is known by.
function tree.sum(root, test)
  local path = test.kind == "spec" and test.name or ("spec/%s/%s.c"):format(test.kind, test.name)
  local pipe = assert(io.popen(("cksum <%s/%s"):format(quote(root), path)))
  local sum = pipe:read "*l"
  pipe:close()
  return (sum:gsub(" ", "-"))
end

--- Builds what tests need before they can run; false when that fails.
function tree.build(root, list, build)
  local targets = {}
  for i, test in ipairs(list) do targets[i] = target(test, build) end
  return tree.make(root, table.concat(targets, " "), build)
end

--- Runs a test that is built: whether it passed, and the seconds it took. environment: `NAME=value ` of more variables.
function tree.test(root, test, limit, build, environment)
  local started = tree.now()
  local line = "cd %s && . tmp/env%s && export TMPDIR=$PWD/tmp && timeout -k 2 %d env %s%s"
  local status = tree.run(line:format(quote(root), build == "coverage" and "-coverage" or "", math.ceil(limit),
    environment or "", command(test, build)))
  return status == 0, tree.now() - started
end

return tree
