-- SPDX-License-Identifier: MIT
-- A module of the library loaded once more, over others in the place of what it requires.

local anew = {}

--- others: {["chainlink.core"] = what stands for it, …}; again: names of modules that are loaded once more too, over
--- the same. -> the module, a function that puts everything back. Until then `others` is what anything requires; where
--- the module raises, all is put back at once.
function anew.load(name, others, again)
  local before, names = {}, { name }
  for other in pairs(others) do names[#names + 1] = other end
  for _, other in ipairs(again or {}) do names[#names + 1] = other end
  for _, other in ipairs(names) do before[other] = package.loaded[other] or false end
  for _, other in ipairs(names) do package.loaded[other] = others[other] end
  local function put_back()
    for other, was in pairs(before) do package.loaded[other] = was or nil end
  end
  local ok, module = pcall(require, name)
  if not ok then
    put_back()
    error(module, 0)
  end
  return module, put_back
end

return anew
