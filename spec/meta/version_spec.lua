-- SPDX-License-Identifier: MIT
local project = require "spec.support.project"

describe("the version", function()
  local version = project.read "src/base/cds.h":match '#define CDS_VERSION "(%d+%.%d+%.%d+)"'

  it("is one literal", function()
    assert.is_string(version)
    local output = project.run(("grep -rnF '\"%s\"' src lua bin"):format(version))
    assert.matches("^src/base/cds.h:%d+:#define CDS_VERSION [^\n]*\n$", output)
  end)

  it("is the module's", function()
    assert.equal(version, require "chainlink"._VERSION)
  end)

  it("is the newest in the changelog", function()
    local newest = project.read "CHANGELOG.md":match "\n## %[(%d+%.%d+%.%d+)%]"
    assert.equal(version, newest)
  end)

  it("has a rockspec", function()
    assert.truthy(project.read("rockspec/chainlink-streams-" .. version .. "-1.rockspec")
      :find('version = "' .. version .. '-1"', 1, true))
  end)

  it("is in the documentation", function()
    assert.truthy(project.read "docs/api.md":find('`"' .. version .. '"`', 1, true))
  end)
end)
