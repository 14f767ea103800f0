DROP TABLE schedule_tick;
