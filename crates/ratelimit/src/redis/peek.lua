
return answer(admitted)
