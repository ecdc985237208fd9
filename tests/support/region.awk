# Prints a region of a file, for the READMEs' tests and for the slides:
#   awk -v name=NAME -f region.awk FILE
# A region is what stands between `// #region NAME` and `// #endregion NAME` (in Python `# #region NAME`),
# without the marks of other regions, and without what indents all of its lines. Fails, with the
# reason on stderr, unless there is exactly one.

/^ *(\/\/|#) #(region|endregion) [^ ]+$/ {
  if ($3 == name) {
    if ($2 == "#region") ++starts
    else ++ends
  }
  if (ends > starts) exit
  next
}

starts > ends {
  inside[++count] = $0
  if (match($0, /[^ ]/) && (!column || RSTART < column)) column = RSTART
}

END {
  if (starts != 1 || ends != 1) {
    printf "region %s starts %d times, ends %d times\n", name, starts, ends > "/dev/stderr"
    exit 1
  }
  for (i = 1; i <= count; ++i) print substr(inside[i], column)
}
