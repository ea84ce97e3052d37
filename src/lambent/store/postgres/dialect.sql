-- name: numbers
SELECT place AS key, CAST(item AS BIGINT) AS value
FROM json_array_elements_text(CAST(:list AS JSON)) WITH ORDINALITY AS items (item, place);
