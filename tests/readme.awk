# readme.awk: prints the README's program number `wanted`, as it stands between its fences.
/^```/ { inside = !inside && /^```c$/; programs += inside; next }
inside && programs == wanted
