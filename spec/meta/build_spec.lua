-- SPDX-License-Identifier: MIT
-- What the Makefile does with settings from outside.
local project = require "spec.support.project"

local function make(words)
  return project.run("env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make --no-print-directory " .. words)
end

describe("the Makefile", function()
  for _, setting in ipairs { "CPPFLAGS=-D_FORTIFY_SOURCE=3", "CFLAGS='-O2 -D_FORTIFY_SOURCE=1'",
    "CPPFLAGS='-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2'", "" } do
    it("compiles without a warning with " .. (setting == "" and "nothing" or setting), function()
      local folder, remove = project.folder()
      local output, status = make(("TREE=%s %s/obj/base/error.o %s"):format(folder, folder, setting))
      remove()
      assert.equal("  cc src/base/error.c\n", output)
      assert.equal(0, status)
    end)
  end

  for _, flag in ipairs { "-fstack-protector-strong", "-fstack-clash-protection", "-fcf-protection" } do
    it("hardens what it compiles with " .. flag .. ", where the compiler has it", function()
      local folder, remove = project.folder()
      local _, refused = project.run(("cc -Werror %s -x c -c -o /dev/null /dev/null"):format(flag))
      local output = make(("TREE=%s V=1 %s/obj/base/error.o"):format(folder, folder))
      remove()
      assert.equal(refused == 0, output:find(flag, 1, true) ~= nil, output)
    end)
  end

  it("compiles again what a library that goes, or comes back, is for", function()
    if select(2, project.run "pkg-config --exists zlib") ~= 0 then return pending "zlib is not there to build with" end
    local folder, remove = project.folder()
    local words = ("TREE=%s %s/obj/base/gzip.o "):format(folder, folder)
    local compiled = "  cc src/base/gzip.c\n"
    for _, case in ipairs { { "ZLIB=", compiled }, { "ZLIB=", "" }, { "ZLIB=zlib", compiled }, { "ZLIB=zlib", "" } } do
      assert.same({ case[2], 0 }, { make(words .. case[1]) })
    end
    remove()
  end)

  it("refuses a Lua that is not supported, and names those that are", function()
    for _, version in ipairs { "5.2", "5", "jit" } do
      local output, status = make("LUA=" .. version)
      assert.is_true(status ~= 0)
      local words = ("LUA=%s is not supported: it may be 5.5, 5.4, 5.3, 5.1 or luajit"):format(version)
      assert.truthy(output:find(words, 1, true), output)
    end
    assert.equal(0, select(2, make "help LUA=luajit"))
  end)

  it("refuses libwebsockets 4.5.0, with the reason", function()
    local folder, remove = project.folder()
    project.write(folder .. "/libwebsockets.pc", "Name: x\nDescription: x\nVersion: 4.5.0\n")
    local output, status = make("deps PKG_CONFIG_PATH=" .. folder)
    project.write(folder .. "/libwebsockets.pc", "Name: x\nDescription: x\nVersion: 4.5.1\n")
    local _, of_the_next = make("deps PKG_CONFIG_PATH=" .. folder)
    remove()
    assert.is_true(status ~= 0)
    assert.matches("^libwebsockets 4%.5%.0 tells control frames as messages: ", output)
    assert.equal(0, of_the_next)
  end)

  it("is not needed for that: the sources say so, as to LuaRocks", function()
    local folder, remove = project.folder()
    for version, good in pairs { [4004005] = true, [4005000] = false, [4005001] = true } do
      project.write(folder .. "/libwebsockets.h", ("#define LWS_LIBRARY_VERSION_NUMBER %d\n"):format(version))
      local output, status = project.run(("cc -E -I%s -Isrc src/net/ws_context.h"):format(folder))
      assert.equal(good, status == 0, output)
      assert.equal(good, not output:find("#error \"libwebsockets 4.5.0 tells control frames as messages: ", 1, true))
    end
    remove()
  end)

  it("is not needed to be told that Lua 5.2 is not supported: the sources say so, as to LuaRocks", function()
    local folder, remove = project.folder()
    project.write(folder .. "/lua.h", "#define LUA_VERSION_NUM 502\n")
    project.write(folder .. "/lauxlib.h", "")
    local output, status = project.run(("cc -E -I%s -Isrc src/lua/compat.h"):format(folder))
    remove()
    assert.is_true(status ~= 0)
    assert.truthy(output:find("Lua 5.2 is not supported: it may be 5.5, 5.4, 5.3, 5.1 or LuaJIT", 1, true), output)
  end)
end)
