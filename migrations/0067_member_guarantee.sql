-- What a clearing member pays for its client that lacks money is a layer of the waterfall: place 9.
-- migrate:up
-- What is stored held the narrower constraint: nothing of it is looked at again.
-- squawk-ignore ban-drop-constraint
ALTER TABLE waterfall_use DROP CONSTRAINT waterfall_use_layer_check;
ALTER TABLE waterfall_use
ADD CONSTRAINT waterfall_use_layer_check CHECK (layer BETWEEN 0 AND 9) NOT VALID;
COMMENT ON COLUMN waterfall_use.layer IS
'0: none; 1 to 8: as they follow; 9: the guarantee of a client''s member, behind 1 and before 2';
