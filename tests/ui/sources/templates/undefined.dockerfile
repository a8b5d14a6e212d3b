FROM {{ base }}
CMD {{ nobody }}
