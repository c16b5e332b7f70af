# Everything is compiled for x86-64-v2 (SSE4.2, POPCNT); faster instruction sets are chosen at run time, function by
# function, with target attributes. Never -march=native: a binary runs on every machine of its baseline.
add_compile_options(-march=x86-64-v2)
