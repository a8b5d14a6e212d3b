FROM {{ build_base }} AS build
FROM {{ base }}
# {{ app }} {{ version }} {{ variant }} {{ manager }} {{ threads }} {{ workers }}
CMD {{ start }}
