# SPDX-License-Identifier: GPL-2.0-only
#
# cmake -DINPUT=... -DOUTPUT=... -DNAME=... -P embed.cmake
# Writes a C file that defines NAME, the text of INPUT.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
file(WRITE ${OUTPUT} "extern const char ${NAME}[];\nconst char ${NAME}[] = {${bytes}0};\n")
