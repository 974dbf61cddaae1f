# Installs the embeddable agent from BUILD, builds the example host against it as a stranger would, and runs that host: it refuses a
# wrong setting by name.
set(work ${BUILD}/package_import)
file(REMOVE_RECURSE ${work})
function(must)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${ARGV}: ${result}\n${out}")
  endif()
endfunction()
must(${CMAKE_COMMAND} --install ${BUILD} --component dev --prefix ${work}/prefix)
must(${CMAKE_COMMAND} -S ${SOURCE} -B ${work}/build -DCMAKE_PREFIX_PATH=${work}/prefix -DCMAKE_CXX_COMPILER=${COMPILER}
  "-DCMAKE_CXX_FLAGS=${FLAGS}" -DHOST_SOURCE=${SOURCE}/../../../agent/example/host.cc)
must(${CMAKE_COMMAND} --build ${work}/build)
execute_process(COMMAND ${CMAKE_COMMAND} -E env TIDEGATE_COMMIT_INTERVAL=soon ${work}/build/host
  RESULT_VARIABLE result ERROR_VARIABLE errors)
if(NOT result EQUAL 2 OR NOT errors MATCHES "TIDEGATE_COMMIT_INTERVAL: \"soon\" is not")
  message(FATAL_ERROR "the host said: ${result} ${errors}")
endif()
