-- When the source shows that a post was officially answered; 1970 while it shows no answer.

ALTER TABLE assessments
    ADD COLUMN IF NOT EXISTS answered_at DateTime64(3, 'UTC')
