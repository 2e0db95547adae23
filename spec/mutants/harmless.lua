-- SPDX-License-Identifier: MIT
-- Changes that leave everything as it was, whatever is around them: none is planted.

local tokens = require "spec.mutants.tokens"

local harmless = {}

-- Functions that do not mind the order of their arguments; the second ones where only 0 counts of what they say.
local COMMUTES = { max = true, min = true, calloc = true, cds_calloc = true }
local COMPARES = { strcmp = true, strncmp = true, strcasecmp = true, strncasecmp = true, memcmp = true,
  cds_feed_id_compare = true }

-- Functions whose arguments only say how much there will be: what they do shows nowhere.
local HINTS = { lua_createtable = true }

--- Marks what stands between the brackets of such functions, and their names, by `is_hint`.
function harmless.mark_hints(list)
  for i, token in ipairs(list) do
    local close = HINTS[token.text] and list[i + 1] and list[i + 1].text == "(" and tokens.closing(list, i + 1)
    for at = i, close or i - 1 do list[at].is_hint = true end
  end
end

--- Does the order of the arguments not matter to the function at i, whose brackets end at close?
function harmless.commutes(list, i, close)
  local name, after, zero = list[i].text, list[close + 1], list[close + 2]
  if COMMUTES[name] then return true end
  return COMPARES[name] and after and (after.text == "==" or after.text == "!=") and zero.text == "0"
end

local OPERAND = "[%w_%.%[%]>-]+"

local function same_pair(a, b, c, d)
  return a == c and b == d or a == d and b == c
end

--- Is token i of a comparison that takes the larger of two, or the smaller? Then it may also take it where both are
--- the same: `if (a > b) b = a;`, `a < b ? a : b`.
function harmless.is_extremum(source, token)
  if not token.text:find "^[<>]" then return false end
  local before = source:sub(math.max(1, token.start - 200), token.start - 1)
  local left = before:match("[(=,nf?:]%s*(" .. OPERAND .. ")%s*$")
  local rest = source:sub(token.stop + 1, token.stop + 200)
  if not left then return false end
  local forms = { "^%s*(OP)%) (OP) = (OP);", "^%s*(OP) then (OP) = (OP)%s", "^%s*(OP) %? (OP) : (OP)[;,)]" }
  for _, form in ipairs(forms) do
    local right, one, two = rest:match((form:gsub("OP", function() return OPERAND end)))
    if right and same_pair(left, right, one, two) then return true end
  end
  return false
end

return harmless
