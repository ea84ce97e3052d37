-- name: is_member
SELECT 1 FROM nodes WHERE id = :holder AND incarnation = :incarnation;

-- name: holdings
SELECT nodes.id, COALESCE(amount, 0), COALESCE(wanted, -1) FROM nodes
LEFT JOIN quotas ON quotas.name = :name AND quotas.holder = nodes.id AND quotas.incarnation = nodes.incarnation
WHERE quotas.holder IS NOT NULL OR nodes.roles LIKE '%worker%' ORDER BY nodes.id;

-- name: put
INSERT INTO quotas (name, holder, incarnation, amount, wanted) VALUES (:name, :holder, :incarnation, :amount, :wanted)
ON CONFLICT (name, holder) DO UPDATE SET incarnation = excluded.incarnation, amount = excluded.amount,
    wanted = excluded.wanted;

-- name: give_back
DELETE FROM quotas WHERE name = :name AND holder = :holder AND incarnation = :incarnation;

-- name: wanted
SELECT DISTINCT name FROM quotas WHERE wanted > 0 ORDER BY name;

-- name: held
SELECT name, holder, amount FROM quotas
JOIN nodes ON nodes.id = quotas.holder AND nodes.incarnation = quotas.incarnation
ORDER BY name, holder;
