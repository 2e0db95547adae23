-- SPDX-License-Identifier: MIT
local project = require "spec.support.project"

local function find_module(name)
  for template in package.cpath:gmatch "[^;]+" do
    local path = template:gsub("%?", (name:gsub("%.", "/")))
    local file = io.open(path, "rb")
    if file then
      file:close()
      return path
    end
  end
  error("no " .. name .. " in " .. package.cpath)
end

describe("exported symbols", function()
  for _, name in ipairs { "chainlink.core", "chainlink.simulator" } do
    it("of " .. name .. " are its luaopen function alone", function()
      local output, status = project.run("scripts/symbols '" .. find_module(name) .. "'")
      assert.equal(0, status, output)
      assert.truthy(output:find("exports luaopen_" .. name:gsub("%.", "_") .. " alone", 1, true))
    end)
  end

  it("are seen when there are more", function()
    local folder, remove = project.folder()
    project.write(folder .. "/core.c",
      "int luaopen_chainlink_core(void) { return 0; }\nint cds_more(void) { return 1; }\n")
    local built, built_status = project.run(("cc -shared -fPIC -o %s/core.so %s/core.c"):format(folder, folder))
    local output, status = project.run("scripts/symbols " .. folder .. "/core.so")
    remove()
    assert.equal(0, built_status, built)
    assert.equal(1, status)
    assert.truthy(output:find("cds_more", 1, true))
  end)
end)
